/** The first look at the chain of a service for one account, and what a later one may not show. */
import type { TransactionReceipt } from "viem";
import { ChainError } from "../../errors/index.ts";
import type { Clock } from "../transactions/clock.ts";
import { clauseOf, mayBeginLater } from "./fate.ts";
import type { Lanes } from "./lanes.ts";

/**
 * Milliseconds for which a node may show an older block than one that has a transaction of ours. A node that
 * does so for longer shows a chain that has dropped the block.
 */
const MOST_LAG = 30_000;

/**
 * Looks until it succeeds. What is wrong from the start is not mended by waiting: another chain, or nothing
 * of that name on it.
 * @param once throw every error instead
 */
export async function firstLook<T>(look: () => Promise<T>, lanes: Lanes, clock: Clock, once = false): Promise<T> {
  for (;;)
    try {
      return await look();
    } catch (error) {
      if (once || !mayBeginLater(error)) throw error;
      lanes.out(clauseOf(error));
      await clock.sleep(lanes.pause()!);
    }
}

/** The block of the newest transaction of ours. */
export class NewestBlock {
  private readonly clock: Clock;
  private block = 0n;
  private at = -Infinity;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Notes a transaction of ours. */
  sent({ blockNumber }: Pick<TransactionReceipt, "blockNumber">): void {
    if (blockNumber >= this.block) [this.block, this.at] = [blockNumber, this.clock.now()];
  }

  /** @throws {ChainError} FAILED when a node shows an older block than that of our newest transaction */
  expect(head: bigint): void {
    if (head < this.block && this.clock.now() - this.at < MOST_LAG)
      throw new ChainError("FAILED", `the node shows block ${head}, which is older than block ${this.block} with a transaction of this account`); // prettier-ignore
  }
}
