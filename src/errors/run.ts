/** Runs that end before their last step. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const RUN = {
  STOPPED: {
    when: "A signal stopped the run before its last training step.",
    remedy: "Continue it with `verde run JOB --out FILE --resume`, if it keeps a trace.",
  },
  AUDIT: {
    when: "The run computed an element again by the definition, and the backend had other bits: broken hardware, or a fault of an engine.",
    remedy: "Test memory and processor, and continue with `--resume` once they are right, or on another machine.",
  },
} as const satisfies SubCodes;

/** A key of `RUN`. */
export type RunSubCode = keyof typeof RUN;

/** A run was stopped, by a signal or by its own audit. */
export class RunError extends VerdeError<"VERDE_RUN", RunSubCode> {
  constructor(subCode: RunSubCode, message: string, evidence?: Evidence) {
    super("VERDE_RUN", subCode, message, evidence);
  }
}
