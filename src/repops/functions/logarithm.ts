/** The natural logarithm, and that of 1 + x. */
import { type Float, int } from "../programs/expressions.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";
import { LN2_HIGH, LN2_LOW } from "./exponential.ts";
import { clamp, polynomial } from "./polynomial.ts";

/**
 * (ln(1 + m) - m + m²/2)/m³ for sqrt(1/2) ≤ 1 + m ≤ sqrt(2): own minimax fit, relative error of the logarithm
 * 2^-27.3.
 */
const COEFFICIENTS = [-0.076357506, 0.12761861, -0.13159683, 0.14201628, -0.16623408, 0.2000124, -0.2500082, 0.3333333];

/**
 * ln x of x ≥ 2^-125, within 0.87 ULP.
 * @param more what has to be added to the logarithm, at most some ULP; 0
 */
export function logOfPositive(x: Float, more?: Float): Float {
  const mantissa = x.mantissa();
  const large = mantissa.gt(Math.SQRT2);
  const e = x
    .exponent()
    .add(large.selectInt(int(1), int(0)))
    .toFloat();
  const m = clamp(large.select(mantissa.mul(0.5), mantissa).sub(1), -0.3, 0.4375);
  const square = m.mul(m);
  const known = e.mul(LN2_LOW);
  const tail = m
    .mul(square)
    .mul(polynomial(m, COEFFICIENTS))
    .add(more ? known.add(more) : known);
  return e.mul(LN2_HIGH).add(m.add(tail.sub(square.mul(0.5))));
}

/** ln x within 0.87 ULP; -2^127 for x ≤ 0. */
export function log(x: Float): Float {
  return x.gt(0).select(logOfPositive(x.max(MIN_VALUE)), -MAX_VALUE);
}

/**
 * ln(sum + low) for a sum of at least 2^-24, and a `low` of half an ULP of it at most; if low is large, sum
 * is 1.
 */
export function logOfSum(sum: Float, low: Float): Float {
  return logOfPositive(sum, low.div(sum));
}

/** ln(1 + x) within 1 ULP; -2^127 for x ≤ -1. */
export function log1p(x: Float): Float {
  const inside = x.max(2 ** -24 - 1);
  const [more, less] = [inside.max(1), inside.min(1)];
  const sum = more.add(less).max(2 ** -24);
  const low = less.sub(sum.sub(more));
  return x.gt(-1).select(logOfSum(sum, low), -MAX_VALUE);
}
