import { setTimeout } from "node:timers/promises";

/** Waits, or ends at once when the signal comes. */
export function sleep(millis: number, signal?: AbortSignal): Promise<void> {
  return setTimeout(millis, undefined, signal && { signal }).catch(() => undefined);
}
