/** The sigmoid, softplus, and what activation functions need of them. */
import { float, type Float, int, type Int } from "../programs/expressions.ts";
import { reduce, reducedExpm1, RISING, TINY } from "./exponential.ts";
import { logOfSum } from "./logarithm.ts";
import { clamp, cut, polynomial, snap } from "./polynomial.ts";

/** (e^-r - 1 + r)/r² */
const FALLING = RISING.map((c, i) => (i % 2 === 0 ? c : -c));

/**
 * (ln(1 + e^x) - x/2 - ln 2)/x² in x², for |x| ≤ 1: own minimax fit, relative error 2^-26.7 of the
 * result.
 */
const EVEN = [-2.1645263e-5, 0.0003432826, -0.0052069835, 0.12499985];

/** The parts of the sigmoid: it is `scale / sum`, and 1 minus it is `rest / sum`. */
export interface Logistic {
  /** 2^exponent */
  scale: Float;
  exponent: Int;
  rest: Float;
  sum: Float;
}

/**
 * The sigmoid of -86.7 ≤ x ≤ 87 where |x| is 0 or at least 2^-26. With e^-x = 2^-n·(1 + t), 1/(1 + e^-x) =
 * 2^n / (2^n + 1 + t). Only the sum and the quotient have rounding errors of full size.
 * @param low a small part of the argument, which x was too short for; 0
 */
export function logistic(x: Float, low?: Float): Logistic {
  const { n, r } = reduce(x, low);
  const t = polynomial(r, FALLING).mul(r).mul(r).sub(r);
  const scale = float(1).ldexp(n);
  // In the sum, a power of two below 2^-40 makes no difference.
  const power = scale.max(2 ** -40);
  const base = power.add(1);
  // The rounding error of 2^n + 1, at n = ±24.
  const lost = power.sub(base.sub(1));
  // The bound never takes effect. It is needed because the analysis does not see how `lost` depends on
  // `power`.
  return { scale, exponent: n, rest: t.add(1), sum: base.add(t.add(lost)).max(0.5) };
}

/** The argument of the sigmoid, clamped to bounds outside of which the result is 0 or 1. */
export function boundLogistic(x: Float): Float {
  return clamp(snap(x, TINY), -86.7, 30);
}

/**
 * x · sigmoid(u), from the parts of the sigmoid: only their sum and the quotient have rounding errors.
 * @param low where x is below, the result is 0
 * @param high where x is above, the result is x
 */
export function gated(x: Float, { exponent, sum }: Logistic, [low, high]: readonly [number, number]): Float {
  // Scaled by 4, so that the quotient does not underflow before the result does.
  const quotient = x.max(low).ldexp(exponent.add(2)).div(sum).mul(0.25);
  return x.gt(high).select(x, quotient);
}

/**
 * 1/(1 + e^-x) within 1 ULP; 0 below -86.65. With e^-x = 2^-n·(1 + t) it is A / (A + B·(1 + t)), where A =
 * 2^min(n, 0) and B = 2^min(-n, 0). The reciprocal of the sum is corrected by its exact residue, so only the
 * last addition has a rounding error of full size.
 */
export function sigmoid(x: Float): Float {
  const { n, r } = reduce(boundLogistic(x));
  const t = snap(polynomial(r, FALLING).mul(r).mul(r).sub(r), 2 ** -30);
  const scale = float(1).ldexp(n).min(1);
  const other = float(1).ldexp(int(0).sub(n)).min(1);
  const least = scale.max(2 ** -40).min(other);
  const base = least.add(1);
  const lost = least.sub(base.sub(1));
  const term = other.mul(t);
  const sum = clamp(base.add(term), 0.5, 2.5);
  // Two numbers of 12 bits, whose product is exact.
  const guess = float(1).div(sum);
  const [high, sumHigh] = [cut(guess, 11), cut(sum, 10)];
  const sumLow = base.sub(sumHigh).add(term).add(lost);
  const residue = float(1).sub(high.mul(sumHigh)).sub(high.mul(sumLow));
  return residue.mul(guess).add(high).mul(scale);
}

/**
 * ln(1 + e^x) within 1.2 ULP, rising; 0 below -86.65. Near 0 it is ln 2 + (x/2 + x²·P(x²)): from input to
 * input x/2 rises by more than the rounding errors of the polynomial.
 */
export function softplus(x: Float): Float {
  // max(x, 0) + ln(1 + e^-|x|), and e^-|x| in two parts.
  const snapped = snap(x, TINY);
  const exponent = clamp(snapped.abs().neg(), -86.7, 0);
  const { n, r } = reduce(exponent);
  const t = reducedExpm1(r);
  const power = t.add(1);
  const lost = t.sub(power.sub(1));
  const small = power.ldexp(n);
  const sum = small.add(1);
  const low = small.sub(sum.sub(1)).add(lost.ldexp(n));
  const far = logOfSum(sum, low).add(x.max(0));
  const bounded = exponent.max(-1);
  const square = bounded.mul(bounded);
  const near = polynomial(square, EVEN).mul(square).add(snapped.mul(0.5)).add(Math.LN2);
  return exponent.gt(-1).select(near, far);
}
