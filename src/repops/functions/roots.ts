/** Roots beside the instruction for the square root. */
import { float, type Float } from "../programs/expressions.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";

/** 1/sqrt(x) within 0.85 ULP; 2^127 for x ≤ 0. */
export function rsqrt(x: Float): Float {
  // The root halves the quotient's relative error; the other way round it is 1.5 ULP. With 4 instead of 1, the quotient
  // of every positive vf32 is one.
  const root = float(4).div(x.max(MIN_VALUE)).sqrt().mul(0.5);
  return x.gt(0).select(root, MAX_VALUE);
}
