/** `verde chain node`: a development chain, served to this machine. */
import { join } from "node:path";
import { createPublicClient, type Hex, http } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { readRegularText } from "../../files/regular.ts";
import { addressOfKeystore, sealKey } from "../../settlement/keystore.ts";
import { passwordFor } from "../account.ts";
import { writeNew } from "../key.ts";
import {
  FUNDED_ACCOUNTS,
  FUNDED_ETHER,
  PUBLIC_MNEMONIC,
  publicPrivateKey,
  serveLocalChain,
} from "../../settlement/local/chain.ts";
import { hardforkFrom } from "./hardfork.ts";
import { portFrom } from "../listen.ts";
import { colors, writeJson, writeLine } from "../output.ts";

interface Flags {
  port: string;
  hardfork: string;
  keys?: string;
  passwordFile?: string;
  json?: boolean;
}

/** The keystores' cost factor. These keys are public, so guessing their password need not be expensive. */
const NO_COST = 2;

export async function chainNode(flags: Flags): Promise<void> {
  const port = portFrom(flags.port, "--port");
  const hardfork = hardforkFrom(flags.hardfork);
  const keys = Array.from({ length: FUNDED_ACCOUNTS }, (_, i) => publicPrivateKey(i));
  const files = flags.keys === undefined ? [] : await writeKeys(flags.keys, keys, flags);
  const { url, close } = await serveLocalChain(port, hardfork);
  const accounts = keys.map(privateKeyToAddress);
  const chainId = await createPublicClient({ transport: http(url) }).getChainId();
  if (flags.json) writeJson({ schemaVersion: 1, url, chainId, accounts, ether: FUNDED_ETHER, keystores: files });
  else print(url, chainId, accounts, files);
  await stopped();
  await close();
}

async function writeKeys(folder: string, keys: readonly Hex[], flags: Flags): Promise<string[]> {
  const files = keys.map((_, i) => join(folder, `${i}.json`));
  const password = await passwordFor(folder, flags, true);
  for (const [i, key] of keys.entries())
    if (!(await holds(files[i], privateKeyToAddress(key)))) await writeNew(files[i], sealKey(key, password, NO_COST));
  return files;
}

/** Whether the file was written at an earlier start. */
async function holds(file: string, address: string): Promise<boolean> {
  const text = await readRegularText(file).catch(() => undefined);
  return text !== undefined && addressOfKeystore(text, file) === address.toLowerCase();
}

function print(url: string, chainId: number, accounts: readonly string[], files: readonly string[]): void {
  writeLine(
    `A chain runs at ${colors.bold(url)}, chain id ${chainId}, for this machine only. Ctrl-C ends it and deletes everything on it.`,
  );
  writeLine();
  accounts.forEach((account, i) =>
    writeLine(`  ${String(i).padStart(2)}  ${account}  ${FUNDED_ETHER} ETH  ${files[i] ?? ""}`.trimEnd()),
  );
  writeLine();
  writeLine(`Their keys are derived from the mnemonic ${JSON.stringify(PUBLIC_MNEMONIC)}, path m/44'/60'/0'/0/i.`);
  writeLine(colors.yellow("Everybody knows these keys: never send anything to these accounts on another chain."));
}

/** Resolves when somebody ends the process. */
function stopped(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
