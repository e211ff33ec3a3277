/**
 * How many blocks a node answers at once when it is asked for events. Nodes have limits on blocks, on results
 * and on time, and tell them in many ways. So a range that is refused for whatever reason is halved.
 */
import { BaseError } from "viem";
import { isLost } from "../nodes/endpoint.ts";

/** What a node means by refusing to answer. `undefined`: neither a smaller range nor patience would help. */
export type Objection = "too much" | "too fast" | undefined;

const TOO_FAST = /rate.?limit|too many requests|requests? per|compute units|throughput|throttl|slow down|quota/i;
/** Nodes that want to be asked with a key, for example, and those that do not know events at all. */
const HOPELESS_STATUS = [401, 402, 403, 404, 405];
const METHOD_MISSING = [-32601, -32004];

/** How a request for events was refused. */
export function objectionOf(error: unknown): Objection {
  const { text, status, code } = said(error);
  if (status === 429 || TOO_FAST.test(text)) return "too fast";
  if (!(error instanceof BaseError)) return undefined;
  if (METHOD_MISSING.includes(code ?? 0)) return undefined;
  if (!isLost(error)) return "too much";
  const timedOut = error.walk((cause) => (cause as Error).name === "TimeoutError") !== null;
  return timedOut || (status !== undefined && !HOPELESS_STATUS.includes(status)) ? "too much" : undefined;
}

/** The number of blocks that a node suggests: `this block range should work: [0x1, 0xa]`. */
export function suggestedBlocks(error: unknown, from: bigint): number | undefined {
  const pair = /(0x[0-9a-f]+|\d+)\s*(?:,|-|to)\s*(0x[0-9a-f]+|\d+)/gi;
  for (const [, first, last] of said(error).text.matchAll(pair))
    if (BigInt(first) === from && BigInt(last) >= from) return Number(BigInt(last) - from) + 1;
  return undefined;
}

function said(error: unknown): { text: string; status?: number; code?: number } {
  if (!(error instanceof BaseError)) return { text: String(error) };
  let status: number | undefined;
  let code: number | undefined;
  let text = `${error.shortMessage} ${error.details}`;
  error.walk((cause) => {
    const inner = cause as { status?: unknown; code?: unknown; details?: string };
    if (typeof inner.status === "number") status ??= inner.status;
    if (typeof inner.code === "number") code ??= inner.code;
    text += ` ${inner.details ?? ""}`;
    return false;
  });
  return { text, ...(status !== undefined && { status }), ...(code !== undefined && { code }) };
}

/** The fewest and the most answers in a row after which a range is tried that was refused before. */
const [EAGER, RELUCTANT] = [4, 256];

/**
 * What one node has been found to answer. It starts with everything at once. Events are not spread evenly, so
 * what was refused in one place is tried again in others, but less and less often if it is refused there too.
 */
export class Limit {
  /** Blocks of the next request. */
  blocks = Infinity;
  /** The number of blocks that was refused last. */
  private refused = Infinity;
  /** No request asks for so many. */
  private ceiling = Infinity;
  /** Answers in a row. */
  private calm = 0;
  private patience = EAGER;

  /** @param suggested what the node says that it would answer */
  refuse(blocks: number, suggested?: number): void {
    if (this.calm > 0) this.patience = Math.min(2 * this.patience, RELUCTANT);
    this.calm = 0;
    this.refused = blocks;
    this.ceiling = blocks;
    const sensible = suggested !== undefined && suggested < blocks;
    this.blocks = sensible ? suggested : Math.ceil(blocks / 2);
  }

  accept(blocks: number): void {
    if (blocks >= this.refused) this.patience = EAGER;
    if (++this.calm % this.patience === 0) this.ceiling *= 2;
    if (blocks >= this.blocks && 2 * blocks < this.ceiling) this.blocks = 2 * blocks;
  }
}
