/** The usual learning rate of transformers. */
import { JobError } from "../../errors/index.ts";
import { map } from "../../graph/emit.ts";
import { cos } from "../../repops/functions/trigonometry.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Schedule } from "./schedule.ts";

/** The course of the rate; in training steps. */
interface WarmupCosine {
  /** The rate at the end of the warm-up. */
  peak: number;
  /** How many steps it grows linearly; 0 for none. */
  warmup: number;
  /** The step at which the rate has come down to `final`. */
  steps: number;
  /** The rate from `steps` on; 0. */
  final?: number;
}

/**
 * peak · step/warmup, then half a cosine from `peak` down to `final`.
 * @throws {JobError} when there are not more steps than steps of warm-up, or the warm-up is negative
 */
export function warmupCosine({ peak, warmup, steps, final = 0 }: WarmupCosine): Schedule {
  if (!(warmup >= 0 && steps > warmup))
    throw new JobError(
      "SETTING",
      `a schedule of ${steps} steps with ${warmup} steps of warm-up; it needs more steps than warm-up`,
    );
  const program = defineProgram("i", (step) => {
    const t = step.toFloat();
    const growing = t.mul(peak / Math.max(warmup, 1));
    const done = t
      .sub(warmup)
      .div(steps - warmup)
      .max(0)
      .min(1);
    const falling = cos(done.mul(Math.PI))
      .add(1)
      .mul((peak - final) / 2)
      .add(final);
    return t.lt(warmup).select(growing, falling);
  });
  return ({ step }) => map(program, [step], { name: "learning-rate", shape: [] });
}
