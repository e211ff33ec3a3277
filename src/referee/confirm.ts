/**
 * Confirms that a party lost by its claim, and not by its file. A party that only has records says what its
 * file says, and nothing binds a file's operators to the run root. So the referee executes the segment
 * itself.
 */
import { messageOf, VerdeError } from "../errors/index.ts";
import type { Side } from "../game/level.ts";
import type { Backend } from "../repops/backends/backend.ts";
import type { Trace } from "../trace/index.ts";
import type { Decision } from "./decision.ts";
import type { JobFacts } from "./facts.ts";
import { replayRuling } from "./replay.ts";

/** What the referee found by itself. */
export type Confirmation = { readonly steps: number } | { readonly doubt: string };

/**
 * @param loser a side that only has records
 * @param open the other side's trace, whose data is executed
 * @returns the number of training steps that were executed, or why the loss is in doubt
 */
export async function confirmLoss(
  facts: JobFacts,
  { path: [top] }: Decision,
  loser: Side,
  open: () => Promise<Trace>,
  backend?: Backend,
): Promise<Confirmation> {
  const segment = { index: top.index, leaves: top.payloads, proofs: top.proofs };
  try {
    const about = { segment, job: facts.id, commitEvery: facts.commitEvery };
    const { losers, steps } = await replayRuling(about, await open(), backend);
    if (losers.includes(loser)) return { steps };
    return { doubt: "the operators that its file states are not those of the run that it claims; restore its data" };
  } catch (error) {
    if (!(error instanceof VerdeError)) throw error;
    return { doubt: `it only has records, and they could not be compared with an execution: ${messageOf(error)}` };
  }
}
