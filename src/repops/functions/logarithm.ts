/** The natural logarithm. */
import { int, type Float } from "../programs/expressions.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";
import { clamp, polynomial } from "./polynomial.ts";

/**
 * (ln(1 + m) - m + m²/2)/m³ for sqrt(1/2) ≤ 1 + m ≤ sqrt(2): own minimax fit, relative error of the logarithm
 * 2^-27.3.
 */
const COEFFICIENTS = [-0.076357506, 0.12761861, -0.13159683, 0.14201628, -0.16623408, 0.2000124, -0.2500082, 0.3333333];
/**
 * ln 2 in two parts. The first has 10 bits, so its product with an exponent is exact (as in Cephes' logf).
 */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;

/** ln x of x ≥ 2^-125, within 0.87 ULP. */
export function logOfPositive(x: Float): Float {
  const mantissa = x.mantissa();
  const large = mantissa.gt(Math.SQRT2);
  const e = x
    .exponent()
    .add(large.selectInt(int(1), int(0)))
    .toFloat();
  const m = clamp(large.select(mantissa.mul(0.5), mantissa).sub(1), -0.3, 0.4375);
  const square = m.mul(m);
  const tail = m.mul(square).mul(polynomial(m, COEFFICIENTS)).add(e.mul(LN2_LOW));
  return e.mul(LN2_HIGH).add(m.add(tail.sub(square.mul(0.5))));
}

/** ln x within 0.87 ULP; -2^127 for x ≤ 0. */
export function log(x: Float): Float {
  return x.gt(0).select(logOfPositive(x.max(MIN_VALUE)), -MAX_VALUE);
}
