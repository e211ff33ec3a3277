/** The keys with which this user claims runs, and signs what it says about them. */
import type { Command } from "commander";
import { addressOf } from "../claims/signature.ts";
import { type AvailableKey, ClaimStore, type Purpose } from "../claims/store.ts";
import { type Bytes, fromHex } from "../encoding/bytes.ts";
import type { KeyFlags } from "./account.ts";

/** Adds the options that name another key than the user's own. */
export function addKeyOptions(command: Command): Command {
  return command
    .option(
      "--keystore <file>",
      "the key that claims the run; default: VERDE_KEYSTORE, VERDE_PRIVATE_KEY, or a key of your own",
    )
    .option("--password-file <file>", "the password of the keystore; default: VERDE_PASSWORD, or the terminal");
}

/**
 * The claims of this user, with the keys that the command was given.
 * @param command whose options the flags are. Default: a keystore among them was named for this command
 */
export async function openClaims(flags: KeyFlags, command?: Command): Promise<ClaimStore> {
  const { VERDE_PRIVATE_KEY, VERDE_KEYSTORE, VERDE_PASSWORD } = process.env;
  const extra: AvailableKey[] = [];
  const add = (text: string): void => {
    const secret = fromHex(text, 32);
    extra.push({ address: addressOf(secret), secret });
  };
  if (VERDE_PRIVATE_KEY) add((await keystores()).parsePrivateKey(VERDE_PRIVATE_KEY, "VERDE_PRIVATE_KEY"));
  const hasPassword = VERDE_PASSWORD !== undefined || flags.passwordFile !== undefined;
  const isNamed = flags.keystore !== undefined && (!command || command.getOptionValueSource("keystore") === "cli");
  // A keystore that only the configuration names is opened if that asks nobody for a password.
  const file = isNamed || hasPassword ? (flags.keystore ?? (VERDE_KEYSTORE || undefined)) : undefined;
  if (file !== undefined) {
    const { openKeystore, passwordFor, readKeyFile } = await keystores();
    add(await openKeystore(await readKeyFile(file, "the keystore"), await passwordFor(file, flags), file));
  }
  return new ClaimStore(undefined, extra);
}

/**
 * Records that this user claims a run. An honest run is claimed by the key that the user names, or by a key
 * of its own. A drill has its own key, since it will sign what is wrong.
 * @returns the address, 20 bytes
 */
export async function claimRun(run: Bytes, purpose: Purpose, flags: KeyFlags = {}): Promise<Bytes> {
  const claims = new ClaimStore();
  const address = purpose === "drill" || !isKeyNamed(flags) ? await claims.addressFor(purpose) : await named(flags);
  await claims.record(run, purpose, address);
  return address;
}

function isKeyNamed({ keystore }: KeyFlags): boolean {
  return [keystore, process.env.VERDE_KEYSTORE, process.env.VERDE_PRIVATE_KEY].some(Boolean);
}

/** The code that opens keystores talks to chains too, and is slow to load. */
async function keystores() {
  return { ...(await import("../settlement/keystore.ts")), ...(await import("./account.ts")) };
}

async function named(flags: KeyFlags): Promise<Bytes> {
  const { addressOfSigner } = await keystores();
  return fromHex(await addressOfSigner(flags), 20);
}
