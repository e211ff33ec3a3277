/** The journals of accounts: one for each account on each chain. */
import { join } from "node:path";
import type { Address, PublicClient } from "viem";
import { KeyError } from "../errors/index.ts";
import { userFolder } from "../files/places.ts";
import { Journal } from "../settlement/transactions/journal.ts";

/**
 * The folder in `VERDE_JOURNAL`, or one where the system keeps the state of programs.
 * @throws {KeyError} when there is neither
 */
export function journalFolder(): string {
  const folder = userFolder("state");
  const { VERDE_JOURNAL } = process.env;
  if (VERDE_JOURNAL) return VERDE_JOURNAL;
  if (folder !== undefined) return join(folder, "verde", "journals");
  throw new KeyError(
    "UNREADABLE",
    "this user has no home folder, in which signed transactions would be kept; name a folder with --journal or VERDE_JOURNAL",
  );
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
  const { hash } = await client.getBlock({ blockNumber: 0n });
  return Journal.open(join(folder, `${chainId}-${hash!.slice(2, 10)}-${account}.jsonl`), chainId, account);
}
