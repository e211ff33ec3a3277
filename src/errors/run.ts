/** Runs that end before their last step. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const RUN = {
  STOPPED: {
    when: "A signal stopped the run before its last training step.",
    remedy: "Continue it with `verde run JOB --out FILE --resume`, if it keeps a trace.",
  },
  DIVERGED: {
    when: "Training has diverged: an operator was given magnitudes beyond its clamp range, or its result, a metric or the state reached 2^127.",
    remedy: "Take a lower learning rate, clip the gradients or scale the data; or add `--no-stop-on-divergence`.",
  },
  AUDIT: {
    when: "The run computed an element again by the definition, and the backend had other bits: broken hardware, or a fault of an engine.",
    remedy: "Test memory and processor, and continue with `--resume` once they are right, or on another machine.",
  },
} as const satisfies SubCodes;

/** A key of `RUN`. */
export type RunSubCode = keyof typeof RUN;

/** A run was stopped: by a signal, because it diverged, or by its own audit. */
export class RunError extends VerdeError<"VERDE_RUN", RunSubCode> {
  constructor(subCode: RunSubCode, message: string, evidence?: Evidence) {
    super("VERDE_RUN", subCode, message, evidence);
  }
}
