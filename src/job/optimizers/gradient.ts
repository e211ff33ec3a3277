/** What the programs of several optimizers do with an element of the gradient. */
import type { Value } from "../../graph/value.ts";
import { defineProgram, type Float } from "../../repops/programs/expressions.ts";
import type { Program } from "../../repops/programs/program.ts";
import type { Update } from "./update.ts";

/** Programs over the scaled gradient, to which a share of the weight is added. */
interface DecayedGradient {
  /**
   * @param more how many operands come before those of the gradient
   * @param body the result for an element of the gradient, and of each further operand
   */
  over(more: number, body: (gradient: Float, ...more: Float[]) => Float): Program;
  /** The operands of the gradient: itself, its scale, and with a decay the weight. */
  operands(update: Update): Value[];
}

/** @param decay the share of a weight that is added to its gradient; 0: none */
export function decayedGradient(decay: number): DecayedGradient {
  const inputs = decay === 0 ? 2 : 3;
  return {
    over: (more, body) =>
      defineProgram("f".repeat(more + inputs), (...all: Float[]) => {
        const [gradient, scale, weight] = all.slice(more);
        const scaled = gradient.mul(scale);
        return body(decay === 0 ? scaled : scaled.add(weight.mul(decay)), ...all.slice(0, more));
      }),
    operands: ({ gradient, scale, value }) => (decay === 0 ? [gradient, scale] : [gradient, scale, value]),
  };
}

/**
 * Elements of gradients beyond ±2^63 count as ±2^63, so that their squares do not saturate; PyTorch's float32
 * overflows there.
 */
export const squarable = (gradient: Float): Float => gradient.max(-(2 ** 63)).min(2 ** 63);

// Means of squares and corrections are never below 0 and 1. The bounds tell the analysis of ranges that.
/** The running mean of squares with one more. */
export function meanSquare(gradient: Float, mean: Float, beta: number): Float {
  const g = squarable(gradient);
  return mean
    .max(0)
    .mul(beta)
    .add(g.mul(g).mul(1 - beta));
}

/** The root of a running mean of squares, corrected. */
export const rootOf = (mean: Float, correction: Float): Float => mean.max(0).mul(correction.max(1)).sqrt();
