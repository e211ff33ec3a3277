/**
 * Building blocks of the functions. A bound that never takes effect costs an instruction, but it tells the
 * range analysis (spec 3.5) the range after a reduction. So no later instruction needs `canon`.
 */
import { float, type Float } from "../programs/expressions.ts";

/** Horner's scheme, the highest coefficient first. */
export function polynomial(x: Float, coefficients: readonly number[]): Float {
  return coefficients.slice(1).reduce((sum, c) => sum.mul(x).add(c), float(coefficients[0]));
}

export function clamp(x: Float, low: number, high: number): Float {
  return x.max(low).min(high);
}

/** Replaces magnitudes below `limit` with 0, so that later instructions can't underflow. */
export function snap(x: Float, limit: number): Float {
  return x.abs().lt(limit).select(0, x);
}

/** Rounds to a multiple of 2^-bits, for magnitudes of at most 2^(22 - bits). */
export function cut(x: Float, bits: number): Float {
  const shift = 1.5 * 2 ** (23 - bits);
  return x.add(shift).sub(shift);
}
