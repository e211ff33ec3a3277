/** The error function. */
import { float, type Float } from "../programs/expressions.ts";
import { boundedExp } from "./exponential.ts";
import { clamp, polynomial } from "./polynomial.ts";

/** erf x / x - 1 in x², for |x| ≤ 0.914: own minimax fit, relative error 2^-25.8. */
const NEAR = [-0.00059595786, 0.004987352, -0.026762966, 0.11281731, -0.3761249, 0.12837915];
/**
 * (ln(1 - erf x) + x²)/x for 0.91 ≤ x ≤ 4: own minimax fit, relative error 2^-28.3 of erf. Its
 * last bits are found by a search: with these erf rises everywhere.
 */
const FAR = [0.00021430512, -0.0032175437, 0.022898292, -0.105274796, 0.36429149, -1.1285173];

/** Where the arms meet. Beyond it the rounding errors of the first would show in the order of the results. */
const LIMIT = 0.914;

/** erf x within 1.25 ULP, rising. */
export function erf(x: Float): Float {
  const size = x.abs();
  const square = clamp(x.mul(x), 2 ** -60, 1);
  // Scaled by 16, so that 0.128·x does not underflow before x does.
  const scaled = clamp(x, -1, 1).mul(16);
  const near = polynomial(square, NEAR)
    .mul(scaled)
    .add(scaled)
    .mul(1 / 16);
  // From input to input x² rises by more than the rounding errors of the polynomial.
  const bounded = clamp(size, 0.875, 4);
  const exponent = polynomial(bounded, FAR).mul(bounded).sub(bounded.mul(bounded));
  const far = float(1).sub(boundedExp(exponent.min(-0.5)));
  return size.lt(LIMIT).select(near, x.lt(0).select(far.neg(), far));
}
