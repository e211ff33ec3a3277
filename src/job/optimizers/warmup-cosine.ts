/** The usual schedule of transformers: linear warm-up, then half a cosine. */
import { JobError } from "../../errors/index.ts";
import { map } from "../../graph/emit.ts";
import { cos } from "../../repops/functions/trigonometry.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Schedule } from "./schedule.ts";

/** The shape of the schedule. Times are in training steps. */
interface WarmupCosine {
  /** The rate at the end of the warm-up. */
  peak: number;
  /** The number of steps in which the rate grows linearly; 0 for none. */
  warmup: number;
  /** The step at which the rate reaches `final`. */
  steps: number;
  /** The rate from `steps` on; default 0. */
  final?: number;
}

/**
 * peak · step/warmup, then half a cosine from `peak` down to `final`.
 * @throws {JobError} when the warm-up is negative or not shorter than `steps`
 */
export function warmupCosine({ peak, warmup, steps, final = 0 }: WarmupCosine): Schedule {
  if (!(warmup >= 0 && steps > warmup))
    throw new JobError(
      "SETTING",
      `a schedule of ${steps} steps can't have ${warmup} steps of warm-up; the warm-up has to be shorter`,
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
