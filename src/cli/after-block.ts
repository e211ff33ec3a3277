/** Waiting for a block: the hash of one is known to contracts only in the next one. */
import { ChainError } from "../errors/index.ts";
import { sleep } from "../services/provider/sleep.ts";
import type { Session } from "../settlement/session.ts";

/** How long a block is waited for, and how often it is looked for, in milliseconds. */
const [BLOCK_MILLIS, LOOK_MILLIS] = [60_000, 500];

/**
 * Waits until there is a later block.
 * @throws {ChainError} after a minute
 */
export async function untilAfter({ client }: Session, number: number): Promise<void> {
  for (const end = performance.now() + BLOCK_MILLIS; performance.now() < end; await sleep(LOOK_MILLIS))
    if ((await client.getBlockNumber()) > number) return;
  throw new ChainError(
    "STATE",
    `block ${number} decides, and the next one is not there yet; run the command again when it is ` +
      "(`verde chain skip 1s` makes one on a development chain)",
    { number },
  );
}
