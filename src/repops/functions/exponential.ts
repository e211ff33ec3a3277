/**
 * exp and sigmoid. The stated errors are the largest over all inputs, in ULP of the exact result.
 *
 * x = n·ln 2 + r with |r| ≤ 0.35, and e^r is a polynomial: a minimax fit of (e^r - 1 - r)/r² with a relative
 * error of 2^-28 (own fit, coefficients rounded one after the other). The reduction is Cody and Waite's; ln 2
 * is split as in Cephes' expf.
 */
import { float, type Float, type Int } from "../programs/expressions.ts";
import { clamp, polynomial, snap } from "./polynomial.ts";

/** ln 2 in two parts. The first has 10 bits, so its product with n is exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
/** (e^r - 1 - r)/r² */
const RISING = [0.0013819033, 0.008368716, 0.04166829, 0.16666521, 0.49999994];
/** (e^-r - 1 + r)/r² */
const FALLING = RISING.map((c, i) => (i % 2 === 0 ? c : -c));
/** For smaller magnitudes, e^x rounds to 1 and sigmoid to 1/2. */
const TINY = 2 ** -25;

/** x = n·ln 2 + r, for |x| ≤ 89 where |x| is 0 or at least 2^-26. */
function reduce(x: Float): { n: Int; r: Float } {
  const n = x.mul(Math.LOG2E).add(0.5).floor();
  const r = x.sub(n.mul(LN2_HIGH)).sub(n.mul(LN2_LOW));
  return { n: n.toI32(), r: clamp(r, -45 / 128, 45 / 128) };
}

/** e^x within 1 ULP, for |x| ≤ 88.03 where |x| is 0 or at least 2^-26. */
export function boundedExp(x: Float): Float {
  const { n, r } = reduce(x);
  return polynomial(r, RISING).mul(r).mul(r).add(r).add(1).ldexp(n);
}

/** e^x within 1 ULP; 0 below -86.65, 2^127 above 88.03. */
export function exp(x: Float): Float {
  return boundedExp(clamp(snap(x, TINY), -86.7, 88.03));
}

/** The parts of the sigmoid: it is `scale / sum`, and 1 minus it is `rest / sum`. */
export interface Logistic {
  /** A power of two. */
  scale: Float;
  rest: Float;
  sum: Float;
}

/**
 * The sigmoid of -86.7 ≤ x ≤ 87 where |x| is 0 or at least 2^-26. With e^-x = 2^-n·(1 + t), 1/(1 + e^-x) =
 * 2^n / (2^n + 1 + t). Only the sum and the quotient have rounding errors of full size.
 */
export function logistic(x: Float): Logistic {
  const { n, r } = reduce(x);
  const t = polynomial(r, FALLING).mul(r).mul(r).sub(r);
  const scale = float(1).ldexp(n);
  // In the sum, a power of two below 2^-40 makes no difference.
  const power = scale.max(2 ** -40);
  const base = power.add(1);
  // The rounding error of 2^n + 1, at n = ±24.
  const lost = power.sub(base.sub(1));
  // The bound never takes effect. It is needed because the analysis does not see how `lost` depends on
  // `power`.
  return { scale, rest: t.add(1), sum: base.add(t.add(lost)).max(0.5) };
}

/** The argument of the sigmoid, clamped to bounds outside of which the result is 0 or 1. */
export function boundLogistic(x: Float): Float {
  return clamp(snap(x, TINY), -86.7, 30);
}

/** 1/(1 + e^-x) within 1.75 ULP; 0 below -86.65. */
export function sigmoid(x: Float): Float {
  const { scale, sum } = logistic(boundLogistic(x));
  return scale.div(sum);
}
