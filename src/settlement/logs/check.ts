/** Events as a node gives them: whether they are those that it was asked for, and their order. */
import type { Address, Hex, RpcLog } from "viem";
import { ChainError } from "../../errors/index.ts";

/** Which events to read. */
export interface LogFilter {
  readonly address: Address;
  /** The event, then its indexed arguments. `null`: any. */
  readonly topics: readonly (Hex | null)[];
  /** The first block. */
  readonly from: bigint;
}

/** An event that is in a block. */
export type MinedLog = RpcLog & { blockNumber: Hex; blockHash: Hex; logIndex: Hex };

/**
 * The events in their order, each once.
 * @throws {ChainError} for an event that was not asked for: the node lies, or is broken
 */
export function checkedLogs(logs: unknown, filter: LogFilter, from: bigint, to: bigint): MinedLog[] {
  if (!Array.isArray(logs)) throw falseLogs("something else than a list", filter);
  const found = new Map<string, MinedLog>();
  for (const log of logs as MinedLog[]) {
    if (typeof log?.blockNumber !== "string" || typeof log.blockHash !== "string" || typeof log.logIndex !== "string")
      throw falseLogs("an event that is in no block", filter);
    if (log.address.toLowerCase() !== filter.address.toLowerCase())
      throw falseLogs(`an event of ${log.address}`, filter);
    const other = filter.topics.findIndex(
      (topic, i) => topic !== null && log.topics[i]?.toLowerCase() !== topic.toLowerCase(),
    );
    if (other >= 0) throw falseLogs(`an event about ${log.topics[other] ?? "nothing"}`, filter);
    const block = BigInt(log.blockNumber);
    if (block < from || block > to) throw falseLogs(`an event of block ${block}, outside of ${from} to ${to}`, filter);
    found.set(`${log.blockHash} ${BigInt(log.logIndex)}`, log);
  }
  return [...found.values()].sort(
    (a, b) => Number(BigInt(a.blockNumber) - BigInt(b.blockNumber)) || Number(BigInt(a.logIndex) - BigInt(b.logIndex)),
  );
}

function falseLogs(what: string, { address, topics }: LogFilter): ChainError {
  const about = topics.filter((topic) => topic !== null);
  return new ChainError(
    "ANSWER_FALSE",
    `the node was asked for the events of ${address}${about.length === 0 ? "" : ` about ${about.join(", ")}`}, and gave ${what}; ` +
      "it lies or is broken, so name another node with --rpc",
    { answer: "events", address, topics: about, found: what },
  );
}
