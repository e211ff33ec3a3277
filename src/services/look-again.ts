/** What services do for as long as they run: they look, and look again, whatever fails meanwhile. */
import { clauseOf } from "../settlement/game/fate.ts";
import { Backoff } from "../settlement/transactions/backoff.ts";
import { sleep } from "./provider/sleep.ts";

export interface Looking {
  /** Milliseconds between two looks, and the longest pause after failures. */
  readonly everyMillis: number;
  readonly longestMillis: number;
  readonly signal: AbortSignal;
  /** Is said when a look works again after one that failed. */
  readonly restored: string;
  say(sentence: string): void;
  /** Is told after each look what was wrong, or nothing. */
  onLook?(trouble: string | undefined): void;
}

/**
 * Looks until the signal, or until a look says that it was the last one. A failure is told once, and tried
 * again after pauses that grow.
 * @param look returns whether to end
 */
export async function lookAgain(
  { everyMillis, longestMillis, signal, restored, say, onLook }: Looking,
  look: () => Promise<boolean>,
): Promise<void> {
  const backoff = new Backoff(everyMillis, longestMillis);
  let told = "";
  while (!signal.aborted) {
    let pause = everyMillis;
    try {
      const isLast = await look();
      backoff.succeeded();
      onLook?.(undefined);
      if (told !== "") say(restored);
      told = "";
      if (isLast) return;
    } catch (error) {
      const trouble = clauseOf(error);
      if (trouble !== told) say(`${trouble}; trying again until it works`);
      told = trouble;
      onLook?.(trouble);
      pause = backoff.next();
    }
    await sleep(pause, signal);
  }
}
