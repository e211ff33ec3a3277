/** GELU in its tanh form, and its derivative. */
import { float, type Float } from "../programs/expressions.ts";
import { clamp, cut, snap } from "./polynomial.ts";
import { gated, logistic } from "./sigmoid.ts";

/**
 * GELU in its tanh form, as in GPT-2: 0.5·x·(1 + tanh(sqrt(2/π)·(x + 0.044715·x³))). With 1 + tanh(u) =
 * 2·sigmoid(2u) this is x · sigmoid(A·x + B·x³).
 */
const A = 2 * Math.sqrt(2 / Math.PI);
const B = A * 0.044715;
/** Their upper 21 and 11 bits. */
const [A_HIGH, B_HIGH] = [Math.floor(A * 2 ** 20) * 2 ** -20, Math.floor(B * 2 ** 15) * 2 ** -15];
/** Below, the result is less than 2^-125; above, the sigmoid is 1. */
const [LOW, HIGH] = [-10.25, 6];

/**
 * A·x + B·x³ in two parts: an error of the exponent would be a relative error of the result. For |x| < 10.5.
 */
function exponentOf(x: Float): { high: Float; low: Float } {
  const upper = cut(x, 8);
  const lower = x.sub(upper);
  const square = x.mul(x);
  const lost = upper.mul(upper).sub(square).add(x.add(upper).mul(lower));
  const squareUpper = cut(square, 5);
  const squareLower = square.sub(squareUpper).add(lost);
  // A + B·x², whose first part is exact.
  const slope = squareUpper.mul(B_HIGH).add(A_HIGH);
  const slopeLower = squareUpper.mul(B - B_HIGH).add(squareLower.mul(B).add(A - A_HIGH));
  const slopeUpper = cut(slope, 8);
  const slopeRest = slope.sub(slopeUpper).add(slopeLower);
  return { high: upper.mul(slopeUpper), low: lower.mul(slopeUpper).add(x.mul(slopeRest)) };
}

/** GELU in its tanh form, within 2 ULP. */
export function geluTanh(x: Float): Float {
  const { high, low } = exponentOf(clamp(snap(x, 2 ** -26), LOW, HIGH));
  return gated(x, logistic(high, low), [LOW, HIGH]);
}

/** d geluTanh / dx within 2 ULP for x ≥ 0; for smaller x the absolute error is at most 2^-23.7. */
export function geluTanhDerivative(x: Float): Float {
  // x clamped to bounds outside of which the sigmoid is 0 or 1.
  const bounded = clamp(snap(x, 2 ** -26), -9.972, HIGH);
  const square = bounded.mul(bounded);
  const parts = logistic(square.mul(B).add(A).mul(bounded));
  const inverse = float(1).div(parts.sum);
  const s = parts.scale.mul(inverse);
  // 1 - s is exact from 1/2 on, and balances the error of s. For large x it would have too few bits.
  const complement = bounded.lt(1).select(float(1).sub(s), parts.rest.mul(inverse));
  const slope = square
    .mul(3 * B)
    .add(A)
    .mul(bounded);
  return slope.mul(complement).mul(s).add(s);
}
