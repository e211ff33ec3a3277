/** `verde key`: makes and reads keystores, for users without a wallet that does so. */
import { dirname } from "node:path";
import type { Command } from "commander";
import { getAddress, type Hex } from "viem";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { KeyError } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { writeNewFile } from "../files/replace.ts";
import { addressOfKeystore, openKeystore, parsePrivateKey, sealKey } from "../settlement/keystore.ts";
import { type KeyFlags, passwordFor, readKeyFile } from "./account.ts";
import { writeJson, writeLine } from "./output.ts";

interface Flags extends KeyFlags {
  json?: boolean;
  check?: boolean;
}

const PASSWORD = [
  "--password-file <file>",
  "a file with the password; without it VERDE_PASSWORD is used, or you are asked",
] as const;

export function register(program: Command): void {
  const key = program.command("key").description("make and read keystores: files with a key, sealed with a password");
  key
    .command("new")
    .description("make a key and seal it in a file")
    .argument("<file>", "the keystore to write; an existing file is never overwritten")
    .option(...PASSWORD)
    .option("--json", "one JSON object")
    .action((file: string, flags: Flags) => seal(file, generatePrivateKey(), flags));
  key
    .command("import")
    .description("seal the key of VERDE_PRIVATE_KEY in a file")
    .argument("<file>", "the keystore to write; an existing file is never overwritten")
    .option(...PASSWORD)
    .option("--json", "one JSON object")
    .action((file: string, flags: Flags) => {
      const { VERDE_PRIVATE_KEY } = process.env;
      if (!VERDE_PRIVATE_KEY)
        throw new KeyError(
          "MISSING",
          "VERDE_PRIVATE_KEY is not set, so there is nothing to import; set it to 64 hexadecimal digits",
        );
      return seal(file, parsePrivateKey(VERDE_PRIVATE_KEY, "VERDE_PRIVATE_KEY"), flags);
    });
  key
    .command("show")
    .description("show the address of the key in a file")
    .argument("<file>", "a keystore")
    .option("--check", "open it, to check the password and the address")
    .option(...PASSWORD)
    .option("--json", "one JSON object")
    .action(show);
}

async function seal(file: string, privateKey: Hex, flags: Flags): Promise<void> {
  const password = await passwordFor(file, flags, true);
  if (password === "")
    throw new KeyError(
      "PASSWORD_EMPTY",
      "the password is empty, so anybody with the file would have the key; choose a password",
    );
  await writeNew(file, sealKey(privateKey, password));
  const { address } = privateKeyToAccount(privateKey);
  if (flags.json) writeJson({ schemaVersion: 1, file, address });
  else writeLine(`${address}  ${file}`, "Keep the file and its password: nobody can restore the key.");
}

/** Writes a new file and never overwrites one. Only its owner can read it, unless another mode is given. */
export async function writeNew(file: string, text: string, mode = 0o600): Promise<void> {
  await makeFolder(dirname(file));
  await writeNewFile(file, text, { mode });
}

async function show(file: string, flags: Flags): Promise<void> {
  const text = await readKeyFile(file, "the keystore");
  const named = addressOfKeystore(text, file);
  const checked = flags.check === true || named === undefined;
  const address = checked
    ? privateKeyToAccount(openKeystore(text, await passwordFor(file, flags), file)).address
    : getAddress(named);
  if (checked && named !== undefined && getAddress(named) !== address)
    throw new KeyError(
      "ADDRESS",
      `${file} says that it holds the key of ${getAddress(named)}, but it holds the key of ${address}; make a new keystore from the key`,
      { expected: getAddress(named), found: address },
    );
  if (flags.json) writeJson({ schemaVersion: 1, file, address, checked });
  else writeLine(`${address}  ${file}`);
}
