/** Learning rates as nodes: functions of the step's number, computed in the graph. */
import { JobError } from "../errors/index.ts";
import { map } from "../graph/emit.ts";
import type { Value } from "../graph/value.ts";
import { cos } from "../repops/functions/trigonometry.ts";
import { defineProgram, float } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";

/** The rate of the step that is taken, an f32 scalar. */
export type Schedule = (context: Context) => Value;

export interface WarmupCosine {
  /** The rate at the end of the warm-up. */
  peak: number;
  /** Steps of linear growth; 0 for none. */
  warmup: number;
  /** The step at which the rate has come down to `final`. */
  steps: number;
  final?: number;
}

/** peak · step/warmup, then half a cosine from `peak` down to `final`. */
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

export function constantRate(rate: number): Schedule {
  return ({ builder, step }) => {
    // It depends on the step in name only, but has a node of its own, as every schedule has.
    const program = defineProgram("i", (number) => number.lt(0).select(0, float(rate)));
    return map(program, [step], { name: "learning-rate", shape: [], builder });
  };
}

export function schedule(rate: number | Schedule): Schedule {
  return typeof rate === "number" ? constantRate(rate) : rate;
}
