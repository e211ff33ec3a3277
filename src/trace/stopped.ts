/** The error of a run that was stopped before its last step. */
import { RunError } from "../errors/index.ts";
import type { Divergence } from "./observations.ts";

/** The last training step that was executed, and the trace, if there is one. */
interface StoppedAt {
  step: number;
  steps: number;
  out?: string;
}

/** @param reason of the signal that has stopped it */
export function stoppedError(stopped: StoppedAt, reason: unknown): RunError {
  const { step, steps, out } = stopped;
  const then =
    out === undefined
      ? "nothing is kept, because it has no trace (--out)"
      : `${out} is kept: continue it with --resume`;
  const message = `the run was stopped after training step ${step} of ${steps}; ${then}`;
  const error = new RunError("STOPPED", message, { ...stopped });
  error.cause = reason;
  return error;
}

export function divergedError(stopped: StoppedAt, { step, at, what }: Divergence): RunError {
  const { steps, out } = stopped;
  const kept = out === undefined ? "" : `; ${out} is kept, and can be continued with --resume --no-stop-on-divergence`;
  return new RunError(
    "DIVERGED",
    `training has diverged at training step ${step} of ${steps}: ${at} ${what}; take a lower learning rate, clip the gradients, or scale ` +
      `the data, and begin again, or run it to its end with --no-stop-on-divergence${kept}`,
    { ...stopped, diverged: step, at, what },
  );
}
