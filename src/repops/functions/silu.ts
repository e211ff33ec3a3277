/** x · sigmoid(x), and its derivative. */
import { float, type Float } from "../programs/expressions.ts";
import { TINY } from "./exponential.ts";
import { clamp, snap } from "./polynomial.ts";
import { boundLogistic, gated, logistic } from "./sigmoid.ts";

/** Below, the result is less than 2^-125; above, the sigmoid is 1. */
const [LOW, HIGH] = [-95, 30];

/** x · sigmoid(x) within 2 ULP. */
export function silu(x: Float): Float {
  return gated(x, logistic(clamp(snap(x, TINY), LOW, HIGH)), [LOW, HIGH]);
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
