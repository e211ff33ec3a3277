/** Runs that end before their last step. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const RUN = {
  STOPPED: {
    when: "A signal stopped the run before its last training step.",
    remedy: "Continue it with `verde run JOB --out FILE --resume`, if it keeps a trace.",
  },
} as const satisfies SubCodes;

/** A key of `RUN`. */
export type RunSubCode = keyof typeof RUN;

/** A run was stopped by whoever started it. */
export class RunError extends VerdeError<"VERDE_RUN", RunSubCode> {
  constructor(subCode: RunSubCode, message: string, evidence?: Evidence) {
    super("VERDE_RUN", subCode, message, evidence);
  }
}
