/** The hyperbolic tangent. */
import { float, type Float, int } from "../programs/expressions.ts";
import { reduce, RISING } from "./exponential.ts";
import { clamp, polynomial } from "./polynomial.ts";

/** (tanh x / x - 1)/x² in x², for |x| ≤ 0.9: own minimax fit, relative error 2^-29.7. */
const COEFFICIENTS = [-0.00045552128, 0.0025830038, -0.0082651125, 0.021663973, -0.05392946, 0.13332981, -0.33333322];
/** Where both arms have errors below 1 ULP. */
const LIMIT = 0.82;

/**
 * 1 - 2/(e^2x + 1) for 0.5 ≤ x ≤ 10. With e^2x = 2^n·(1 + t), 1 + 2^-n + t is summed with its rounding
 * errors.
 */
function far(x: Float): Float {
  const { n, r } = reduce(x.mul(2));
  const power = polynomial(r, RISING).mul(r).mul(r);
  const scale = float(1).ldexp(int(0).sub(n));
  const base = scale.add(1);
  const first = base.add(r);
  const sum = first.add(power).max(0.5);
  const lost = base.sub(first).add(r).add(first.sub(sum).add(power));
  const inverse = float(1).div(sum);
  const quotient = scale.mul(2).mul(inverse);
  return float(1).sub(quotient.sub(quotient.mul(inverse).mul(lost)));
}

/** tanh x within 1 ULP. */
export function tanh(x: Float): Float {
  const size = x.abs();
  // Far below the lower bound x² does not matter; the upper bound holds wherever this arm is taken.
  const square = clamp(x.mul(x), 2 ** -60, 1);
  const near = square.mul(polynomial(square, COEFFICIENTS)).mul(x).add(x);
  const distant = far(clamp(size, 0.5, 10));
  return size.lt(LIMIT).select(near, x.lt(0).select(distant.neg(), distant));
}
