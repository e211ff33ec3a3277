/** The journals of accounts: one for each account on each chain. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Address, PublicClient } from "viem";
import { makeFolder } from "../files/folder.ts";
import { Journal } from "../settlement/transactions/journal.ts";

/** The folder in `VERDE_JOURNAL`, or one where the system keeps the state of programs. */
export function journalFolder(): string {
  const { VERDE_JOURNAL, XDG_STATE_HOME } = process.env;
  return VERDE_JOURNAL || join(XDG_STATE_HOME || join(homedir(), ".local", "state"), "verde", "journals");
}

/**
 * Opens an account's journal. A restarted development chain has the same chain id, so the file's name also
 * contains the start of the first block's hash.
 * @throws {FormatError | ChainError} when it is damaged, or another command is sending for the account
 */
export async function openJournal(
  folder: string,
  client: PublicClient,
  chainId: number,
  account: Address,
): Promise<Journal> {
  await makeFolder(folder, 0o700);
  const { hash } = await client.getBlock({ blockNumber: 0n });
  return Journal.open(join(folder, `${chainId}-${hash!.slice(2, 10)}-${account}.jsonl`), chainId, account);
}
