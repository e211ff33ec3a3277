/**
 * The key that signs. It is read from a keystore or from the environment. It is never read from an argument:
 * other users of the machine can read arguments, and shells remember them. The key is never shown.
 */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { type Address, getAddress, type Hex } from "viem";
import { type PrivateKeyAccount, privateKeyToAccount } from "viem/accounts";
import { isMissing, KeyError, messageOf } from "../errors/index.ts";
import { escapeText } from "../errors/text.ts";
import { readRegularText } from "../files/regular.ts";
import { addressOfKeystore, openKeystore, parsePrivateKey } from "../settlement/keystore.ts";

export interface KeyFlags {
  keystore?: string;
  passwordFile?: string;
}

/**
 * The account that signs.
 * @throws {KeyError} when there is no key, or the password is wrong
 */
export async function signerOf(flags: KeyFlags): Promise<PrivateKeyAccount> {
  const { VERDE_PRIVATE_KEY } = process.env;
  const file = keystoreOf(flags);
  if (file !== undefined) return privateKeyToAccount(await keyFromFile(file, flags));
  if (VERDE_PRIVATE_KEY) return privateKeyToAccount(parsePrivateKey(VERDE_PRIVATE_KEY, "VERDE_PRIVATE_KEY"));
  throw noKey();
}

const noKey = (): KeyError =>
  new KeyError(
    "MISSING",
    "there is no key to sign with; name a keystore with --keystore FILE (`verde key new FILE` makes one), " +
      "or set VERDE_PRIVATE_KEY",
  );

/**
 * The address of the account that would sign. No password is needed if the keystore names its address.
 * @throws {KeyError} when there is no key
 */
export async function addressOfSigner(flags: KeyFlags): Promise<Address> {
  const file = keystoreOf(flags);
  const named = file === undefined ? undefined : addressOfKeystore(await readKeyFile(file, "the keystore"), file);
  return named === undefined ? (await signerOf(flags)).address : getAddress(named);
}

/** A key with its address, 20 bytes. */
interface OpenedKey {
  readonly address: Address;
  readonly secret: Hex;
}

/**
 * The keys of several keystores, or the one of the environment.
 * @throws {KeyError} when there is no key, or the password is wrong
 */
export async function openedKeys(
  keystores: readonly string[] | undefined,
  flags: { passwordFile?: string },
): Promise<OpenedKey[]> {
  const files = keystores ?? (process.env.VERDE_KEYSTORE ? [process.env.VERDE_KEYSTORE] : []);
  const { VERDE_PRIVATE_KEY } = process.env;
  const secrets: Hex[] = [];
  for (const file of files) secrets.push(await keyFromFile(file, flags));
  if (files.length === 0 && VERDE_PRIVATE_KEY) secrets.push(parsePrivateKey(VERDE_PRIVATE_KEY, "VERDE_PRIVATE_KEY"));
  if (secrets.length === 0) throw noKey();
  return secrets.map((secret) => ({ address: privateKeyToAccount(secret).address, secret }));
}

const keystoreOf = ({ keystore }: KeyFlags): string | undefined =>
  keystore ?? (process.env.VERDE_KEYSTORE || undefined);

async function keyFromFile(file: string, flags: KeyFlags): Promise<Hex> {
  const text = await readKeyFile(file, "the keystore");
  return openKeystore(text, await passwordFor(file, flags), file);
}

/** @throws {KeyError} when the file can't be read */
export async function readKeyFile(file: string, what: string): Promise<string> {
  return readRegularText(file, { pipes: true }).catch((cause: unknown) => {
    throw new KeyError(
      isMissing(cause) ? "FILE_MISSING" : "UNREADABLE",
      `${what} ${file} can't be read: ${messageOf(cause)}; give a file that you may read`,
      { file },
    );
  });
}

/**
 * The password of a keystore: from a file, the environment, or the terminal.
 * @param twice ask a second time, for a new keystore
 */
export async function passwordFor(file: string, { passwordFile }: KeyFlags, twice = false): Promise<string> {
  // Editors end files with a line break that does not belong to the password.
  if (passwordFile !== undefined) return (await readKeyFile(passwordFile, "the password file")).replace(/\r?\n$/, "");
  if (process.env.VERDE_PASSWORD !== undefined) return process.env.VERDE_PASSWORD;
  if (!process.stdin.isTTY)
    throw new KeyError(
      "PASSWORD_MISSING",
      `${file} needs a password; set VERDE_PASSWORD, or name a file with --password-file`,
      { file },
    );
  const password = await askPassword(`Password of ${file}: `, process.stdin, process.stderr);
  if (twice && (await askPassword("Repeat the password: ", process.stdin, process.stderr)) !== password)
    throw new KeyError("PASSWORDS_DIFFER", "the two passwords differ; start again", { file });
  return password;
}

/**
 * Asks on a terminal without showing what is typed.
 * @throws {KeyError} when the input ends before a line does
 */
export function askPassword(
  prompt: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silence, terminal: true });
  output.write(escapeText(prompt));
  return new Promise((resolve, reject) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("SIGINT", () => lines.close());
    lines.once("close", () => {
      output.write("\n");
      reject(new KeyError("PASSWORD_MISSING", "no password was given; type it, or set VERDE_PASSWORD"));
    });
  });
}
