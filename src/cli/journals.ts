/** Where the journals of accounts are: one for each account on each chain. */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Address, PublicClient } from "viem";
import { Journal } from "../settlement/transactions/journal.ts";

/** `VERDE_JOURNAL`, or what the system has for the state of programs. */
export function journalFolder(): string {
  const { VERDE_JOURNAL, XDG_STATE_HOME } = process.env;
  return VERDE_JOURNAL || join(XDG_STATE_HOME || join(homedir(), ".local", "state"), "verde", "journals");
}

/**
 * Chains for development begin anew with the same number, so the first block names the chain as well.
 * @throws {FormatError | ChainError} when it is damaged, or another command sends for the account
 */
export async function openJournal(
  folder: string,
  client: PublicClient,
  chainId: number,
  account: Address,
): Promise<Journal> {
  const { hash } = await client.getBlock({ blockNumber: 0n });
  return Journal.open(join(folder, `${chainId}-${hash!.slice(2, 10)}-${account}.jsonl`), chainId, account);
}
