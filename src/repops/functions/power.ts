/** Powers with a real exponent. */
import type { Float } from "../programs/expressions.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";
import { exp } from "./exponential.ts";
import { logOfPositive } from "./logarithm.ts";

/**
 * x^y = e^(y·ln x), with an error of at most 2 + 2·|y·ln x| ULP, because the absolute error of y·ln x becomes
 * a relative error. x^0 = 1 for x ≥ 0; 0^y is 0 for y > 0 and 2^127 for y < 0; the result is 0 for x < 0.
 */
export function pow(x: Float, y: Float): Float {
  const positive = exp(logOfPositive(x.max(MIN_VALUE)).mul(y));
  const ofZero = y.gt(0).select(0, y.lt(0).select(MAX_VALUE, 1));
  return x.gt(0).select(positive, x.lt(0).select(0, ofZero));
}
