/**
 * On how many threads backends compute. It is one number for the process, as threads share its cores. The
 * bits do not depend on it.
 */
import { isNode, os } from "../../encoding/node.ts";
import { describe } from "../../errors/arguments.ts";
import { UsageError } from "../../errors/index.ts";

/** More would only wait for each other. */
const MOST = 256;

let chosen: number | undefined;

/**
 * The threads that were asked for: by `setThreads`, by `VERDE_THREADS`, or else as many as there are cores.
 */
export function threads(): number {
  if (chosen !== undefined) return chosen;
  const named = isNode ? process.env.VERDE_THREADS : undefined;
  if (named) return checked(Number(named), `VERDE_THREADS is ${JSON.stringify(named)}`);
  return isNode ? os.availableParallelism() : (globalThis.navigator?.hardwareConcurrency ?? 1);
}

/**
 * Sets the number of threads for sessions that are opened afterwards.
 * @param count 1 to 256; `undefined`: the default again
 * @throws {UsageError} for any other number
 */
export function setThreads(count: number | undefined): void {
  chosen = count === undefined ? undefined : checked(count, `${describe(count)} threads are not possible`);
}

function checked(count: number, problem: string): number {
  if (Number.isInteger(count) && count >= 1 && count <= MOST) return count;
  throw new UsageError("VALUE", `${problem}; take a whole number from 1 to ${MOST}`);
}
