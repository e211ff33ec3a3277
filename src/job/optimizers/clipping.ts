/** Clipping: limits every element of the gradients, or scales all of them together to a norm. */
import { map } from "../../graph/emit.ts";
import { fill } from "../../graph/fill.ts";
import type { Value } from "../../graph/value.ts";
import { POSITIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { floatOf } from "../settings.ts";
import { globalNorm } from "./norm.ts";
import { type SkipOptions, skipOf } from "./skip.ts";

/** What all optimizers do with the gradients before they use them. */
export interface ClipOptions {
  /**
   * All gradients together are scaled down to this norm if theirs is larger; default no clipping. The norm is
   * the metric `gradient-norm`.
   */
  clipNorm?: number;
  /**
   * Every element of a gradient is brought into [-clipValue, clipValue], before the norm is taken; default no
   * clipping.
   */
  clipValue?: number;
  /**
   * Skips a training step whose gradients have a norm above this one, or above a multiple of the usual norm:
   * the state stays as it is but for the number of the step and the metrics. The metric `skipped` is 1 for
   * such a step and 0 for others.
   */
  skipAbove?: number | SkipOptions;
}

/** The names of these options. */
export const CLIP_OPTIONS = ["clipNorm", "clipValue", "skipAbove"] as const;

/** Gradients as the updates read them: the product of each with the scale. */
interface Clipped {
  gradients: readonly Value[];
  /** An f32 scalar, 1 without `clipNorm`. */
  scale: Value;
}

/**
 * Checks the options, and gives the function that adds the operators.
 * @param of the optimizer's name
 * @throws {JobError} when a limit is not above 0 once it is rounded
 */
export function clippingOf(
  of: string,
  options: ClipOptions,
): (context: Context, gradients: readonly Value[]) => Clipped {
  const limitOf = (name: "clipNorm" | "clipValue"): number | undefined =>
    options[name] === undefined ? undefined : floatOf(of, name, options[name], POSITIVE);
  const [clipNorm, clipValue] = [limitOf("clipNorm"), limitOf("clipValue")];
  const skip = skipOf(of, options.skipAbove);
  const bounded = defineProgram("f", (gradient) => gradient.max(-(clipValue ?? 1)).min(clipValue ?? 1));
  return (context, given) => {
    const gradients =
      clipValue === undefined
        ? given
        : given.map((gradient) => map(bounded, [gradient], { name: "clip-value", shape: gradient.shape }));
    const unscaled = (): Value => fill(context.builder, [], 1, "clip");
    if (gradients.length === 0 || (clipNorm === undefined && !skip)) return { gradients, scale: unscaled() };
    const norm = globalNorm(gradients);
    context.metric("gradient-norm", norm);
    skip?.(context, norm);
    return { gradients, scale: clipNorm === undefined ? unscaled() : clipFactor(norm, clipNorm) };
  };
}

/**
 * min(1, limit/norm), the factor by which clipping scales every gradient; 0 for a norm above 2^125 limits.
 */
function clipFactor(norm: Value, limit: number): Value {
  const program = defineProgram("f", (value) => float(limit).div(value.max(limit)));
  return map(program, [norm], { name: "clip", shape: [] });
}
