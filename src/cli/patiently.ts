/** Begins a service on a chain whose node may start later than the command. */
import { clauseOf, mayBeginLater } from "../settlement/game/fate.ts";
import { Backoff } from "../settlement/transactions/backoff.ts";
import { SYSTEM_CLOCK } from "../settlement/transactions/clock.ts";
import { reportLine } from "./output.ts";

/**
 * Begins again and again while the node is away: it may start later than this command.
 * @param everyMillis of the first pause
 * @param once throw every error instead
 */
export async function patiently<T>(
  everyMillis: number,
  once: boolean | undefined,
  begin: () => Promise<T>,
): Promise<T> {
  const backoff = new Backoff(everyMillis, 30_000);
  for (;;)
    try {
      return await begin();
    } catch (error) {
      if (once || !mayBeginLater(error)) throw error;
      if (backoff.failures === 0) reportLine(`verde: ${clauseOf(error)}; trying again until it works`);
      await SYSTEM_CLOCK.sleep(backoff.next());
    }
}
