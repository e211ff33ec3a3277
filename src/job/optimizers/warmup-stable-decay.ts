/** Warm-up, then a constant rate, then a decay to the end. */
import { describe } from "../../errors/arguments.ts";
import { map } from "../../graph/emit.ts";
import { NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import type { Schedule } from "./schedule.ts";

/** The shape of the schedule. Times are in training steps. */
interface WarmupStableDecay {
  /** The rate from the end of the warm-up to the beginning of the decay. */
  peak: number;
  /** The number of steps in which the rate grows linearly; 0 for none. */
  warmup: number;
  /** The number of steps in which the rate falls to `final`. */
  decay: number;
  /** The step at which the rate reaches `final`. */
  steps: number;
  /** The rate from `steps` on; default 0. */
  final?: number;
  /**
   * `linear`, or `sqrt`: peak · (1 - sqrt(share of the decay)), which falls fast at first. Default `linear`.
   */
  shape?: "linear" | "sqrt";
}

/**
 * peak · step/warmup, then `peak`, then a decay of `decay` steps to `final` (Hu and others, MiniCPM).
 * @throws {JobError} for an unknown option, a value that is out of its range, and steps that are fewer than
 *   those of warm-up and decay
 */
export function warmupStableDecay(options: WarmupStableDecay): Schedule {
  const of = "warmupStableDecay";
  expectOptions(of, options, ["peak", "warmup", "decay", "steps", "final", "shape"]);
  const peak = floatOf(of, "peak", options.peak, NOT_NEGATIVE);
  const final = floatOf(of, "final", options.final ?? 0, NOT_NEGATIVE);
  const [warmup, decay, steps] = (["warmup", "decay", "steps"] as const).map((name) =>
    countOf(of, name, options[name], name === "warmup" ? 0 : 1),
  );
  const { shape = "linear" } = options;
  if (shape !== "linear" && shape !== "sqrt")
    throw settingError(of, `shape is ${describe(shape)}; take linear or sqrt`);
  if (warmup + decay > steps)
    throw settingError(
      of,
      `a schedule of ${steps} steps can't have ${warmup} steps of warm-up and ${decay} of decay; take fewer`,
    );
  const program = defineProgram("i", (step) => {
    const t = step.toFloat();
    const done = t.sub(steps - decay).div(decay);
    const left = float(1).sub(shape === "linear" ? done : done.sqrt());
    const falling = left.mul(peak - final).add(final);
    const grown = t.lt(warmup).select(t.div(Math.max(warmup, 1)).mul(peak), peak);
    return t.lt(steps).select(t.gt(steps - decay).select(falling, grown), final);
  });
  return ({ step }) => map(program, [step], { name: "learning-rate", shape: [] });
}
