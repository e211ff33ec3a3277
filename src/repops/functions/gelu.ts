/** Activation functions that are made of the sigmoid, with their derivatives. */
import { float, type Float } from "../programs/expressions.ts";
import { boundLogistic, logistic, type Logistic, sigmoid } from "./exponential.ts";
import { clamp, snap } from "./polynomial.ts";

/**
 * GELU in its tanh form, as in GPT-2: 0.5·x·(1 + tanh(sqrt(2/π)·(x + 0.044715·x³))). With 1 + tanh(u) =
 * 2·sigmoid(2u) this is x · sigmoid(A·x + B·x³).
 */
const A = 2 * Math.sqrt(2 / Math.PI);
const B = A * 0.044715;

/** x clamped to bounds outside of which the sigmoid is 0 or 1, and the parts of the sigmoid. */
function gate(x: Float): { bounded: Float; square: Float; parts: Logistic } {
  const bounded = clamp(snap(x, 2 ** -26), -9.972, 6);
  const square = bounded.mul(bounded);
  return { bounded, square, parts: logistic(square.mul(B).add(A).mul(bounded)) };
}

/** GELU in its tanh form: within 2.75 ULP for x ≥ -1; for smaller x the absolute error is at most 2^-24.2. */
export function gelu(x: Float): Float {
  const { scale, sum } = gate(x).parts;
  return scale.div(sum).mul(x);
}

/** d gelu / dx within 3.8 ULP for x ≥ -0.5; for smaller x the absolute error is at most 2^-23.4. */
export function geluDerivative(x: Float): Float {
  const { bounded, square, parts } = gate(x);
  const inverse = float(1).div(parts.sum);
  const s = parts.scale.mul(inverse);
  const complement = parts.rest.mul(inverse);
  const slope = square
    .mul(3 * B)
    .add(A)
    .mul(bounded);
  return slope.mul(complement).mul(s).add(s);
}

/**
 * x · sigmoid(x) within 2.35 ULP for x ≥ -86.6; below, it soon becomes 0, where the exact value is above
 * -2^-118.
 */
export function silu(x: Float): Float {
  return x.mul(sigmoid(x));
}

/**
 * d silu / dx = s·(1 + x·(1 - s)), within 3.95 ULP for x ≥ -1; for smaller x the absolute error is at most
 * 2^-24.
 */
export function siluDerivative(x: Float): Float {
  const bounded = boundLogistic(x);
  const { scale, rest, sum } = logistic(bounded);
  const inverse = float(1).div(sum);
  const s = scale.mul(inverse);
  return bounded.mul(rest.mul(inverse)).add(1).mul(s);
}
