/** The newest block of a node. */
import type { Hex } from "viem";
import type { Endpoint } from "./endpoint.ts";

/** The number of blocks that a chain may drop unnoticed. */
export const REORGANIZABLE = 64;
/** Seconds by which the newest block of a node may be older than that of another. */
export const MOST_LAG = 300;

export interface Head {
  readonly node: Endpoint;
  readonly number: bigint;
  /** Seconds. */
  readonly timestamp: bigint;
}

/** @param value the block, as a node gives it */
export function headOf(node: Endpoint, value: unknown): Head {
  const { number, timestamp } = value as { number: Hex; timestamp: Hex };
  return { node, number: BigInt(number), timestamp: BigInt(timestamp) };
}

/**
 * The newest of the blocks. A block from the future is believed only if all nodes have one: the clock of a
 * development chain is moved.
 */
export function newestOf(heads: readonly Head[]): Head {
  const now = BigInt(Math.floor(Date.now() / 1000) + MOST_LAG);
  const possible = heads.filter(({ timestamp }) => timestamp <= now);
  const among = possible.length > 0 ? possible : heads;
  return among.reduce((newest, head) => (head.timestamp > newest.timestamp ? head : newest));
}
