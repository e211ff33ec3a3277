/** The error function. */
import { float, type Float } from "../programs/expressions.ts";
import { boundedExp } from "./exponential.ts";
import { clamp, polynomial } from "./polynomial.ts";

/** erf x / x - 1 in x², for |x| ≤ 0.93: own minimax fit, relative error 2^-25.8. */
const NEAR = [-0.00059595786, 0.004987352, -0.026762966, 0.11281731, -0.3761249, 0.12837915];
/** ln(1 - erf x) for 0.925 ≤ x ≤ 4: own minimax fit, relative error 2^-29 of erf. */
const FAR = [0.00019534818, -0.0030374632, 0.022204058, -0.10388429, -0.63723606, -1.1276437, -0.00020339816];

/** erf x within 1.28 ULP. */
export function erf(x: Float): Float {
  const size = x.abs();
  const square = clamp(x.mul(x), 2 ** -60, 1);
  // Scaled by 16, so that 0.128·x does not underflow before x does.
  const scaled = clamp(x, -1, 1).mul(16);
  const near = polynomial(square, NEAR)
    .mul(scaled)
    .add(scaled)
    .mul(1 / 16);
  const far = float(1).sub(boundedExp(polynomial(clamp(size, 0.875, 4), FAR)));
  return size.lt(0.93).select(near, x.lt(0).select(far.neg(), far));
}
