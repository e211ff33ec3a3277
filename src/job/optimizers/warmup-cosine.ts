/** The usual schedule of transformers: linear warm-up, then half a cosine. */
import { map } from "../../graph/emit.ts";
import { cosOfHalfTurns } from "../../repops/functions/trigonometry.ts";
import { NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { expectOptions, floatOf, settingError } from "../settings.ts";
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
 * @throws {JobError} for an unknown option, a value that is negative or not a vf32 once it is rounded, and a
 *   warm-up that is not shorter than `steps`
 */
export function warmupCosine(options: WarmupCosine): Schedule {
  expectOptions("warmupCosine", options, ["peak", "warmup", "steps", "final"]);
  const { peak, warmup, steps, final = 0 } = options;
  const check = (name: string, value: unknown): number => floatOf("warmupCosine", name, value, NOT_NEGATIVE);
  for (const [name, value] of Object.entries({ peak, warmup, steps, final })) check(name, value);
  if (!(Math.fround(steps) > Math.fround(warmup)))
    throw settingError(
      "warmupCosine",
      `a schedule of ${steps} steps can't have ${warmup} steps of warm-up; the warm-up has to be shorter`,
    );
  check("peak, divided by the steps of warm-up,", peak / Math.max(warmup, 1));
  check("half of the difference of peak and final", Math.abs(peak - final) / 2);
  const program = defineProgram("i", (step) => {
    const t = step.toFloat();
    const growing = t.mul(peak / Math.max(warmup, 1));
    const done = t
      .sub(warmup)
      .div(steps - warmup)
      .max(0)
      .min(1);
    const falling = cosOfHalfTurns(done)
      .add(1)
      .mul((peak - final) / 2)
      .add(final);
    return t.lt(warmup).select(growing, falling);
  });
  return ({ step }) => map(program, [step], { name: "learning-rate", shape: [] });
}
