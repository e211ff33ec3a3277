/**
 * Building blocks of the functions. A bound that never acts costs an instruction, but tells the range analysis (spec 3.5)
 * what a reduction has achieved, and so removes `canon` from everything after it.
 */
import { float, type Float } from "../programs/expressions.ts";

/** Horner's scheme, the highest coefficient first. */
export function polynomial(x: Float, coefficients: readonly number[]): Float {
  return coefficients.slice(1).reduce((sum, c) => sum.mul(x).add(c), float(coefficients[0]));
}

export function clamp(x: Float, low: number, high: number): Float {
  return x.max(low).min(high);
}

/** 0 for magnitudes below `limit`: what follows can't underflow any more. */
export function snap(x: Float, limit: number): Float {
  return x.abs().lt(limit).select(0, x);
}
