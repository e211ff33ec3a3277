/** Rounding: to whole numbers, and to what narrower formats hold. */
import { float, type Float } from "../programs/expressions.ts";

/** The least integer not below x. */
export const ceil = (x: Float): Float => x.neg().floor().neg();

/** x without its fraction. */
export const trunc = (x: Float): Float => x.lt(0).select(ceil(x), x.floor());

/** The nearest integer, of two the even one. */
export function round(x: Float): Float {
  const size = x.abs();
  // In the sum an ULP is 1. From 2^23 on there are no fractions.
  const whole = size.add(2 ** 23).sub(2 ** 23);
  return size.lt(2 ** 23).select(x.lt(0).select(whole.neg(), whole), x);
}

/** -1, 0 or 1. */
export const sign = (x: Float): Float => x.gt(0).select(1, x.lt(0).select(-1, 0));

/** The bits of x rounded to nearest even at bit `width`, by carrying into the exponent where needed. */
function shortened(x: Float, width: number): Float {
  const bits = x.bits();
  const even = bits.shr(width).and(1);
  return bits
    .add(even.add(2 ** (width - 1) - 1))
    .and(-(2 ** width))
    .asFloat();
}

/** x rounded to nearest even to 8 bits, as in bfloat16; at most ±2^127. */
export const roundToBf16 = (x: Float): Float => shortened(x, 16);

/**
 * x rounded to nearest even to what binary16 holds: 11 bits, below 2^-14 multiples of 2^-24. Magnitudes above
 * its greatest number become ±65504.
 */
export function roundToF16(x: Float): Float {
  const size = x.abs();
  const small = size.add(0.5).sub(0.5);
  const rounded = size
    .lt(2 ** -14)
    .select(small, shortened(size, 13))
    .min(65504);
  return x.lt(0).select(float(0).sub(rounded), rounded);
}
