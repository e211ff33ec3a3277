/** Roots that are not an instruction. */
import { float, type Float } from "../programs/expressions.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";

/** 1/sqrt(x) within 0.85 ULP; 2^127 for x ≤ 0. */
export function rsqrt(x: Float): Float {
  // The root halves the relative error of the quotient; in the other order the error would be 1.5 ULP. With 4
  // instead of 1, the quotient is a vf32 for every positive vf32.
  const root = float(4).div(x.max(MIN_VALUE)).sqrt().mul(0.5);
  return x.gt(0).select(root, MAX_VALUE);
}
