/**
 * Float arithmetic a second time, in exact integers of any length: the independent truth for what is
 * correctly rounded.
 */
import { bitsOf, canon } from "../../src/repops/numbers/vf32.ts";

/** A float as an integer times 2^-200. */
export const exact = (x: number): bigint => {
  const bits = bitsOf(x);
  if (x === 0) return 0n;
  const fraction = BigInt((bits & 0x7fffff) | 0x800000);
  return (x < 0 ? -fraction : fraction) << BigInt(((bits >>> 23) & 255) - 150 + 200);
};

/**
 * numerator/denominator · 2^shift rounded to 24 bits, ties to even, with unbounded exponent; then canonical.
 */
export function rounded(numerator: bigint, denominator: bigint, shift: number): number {
  if (numerator === 0n || denominator === 0n) return 0;
  const negative = numerator < 0n !== denominator < 0n;
  let [n, d] = [numerator < 0n ? -numerator : numerator, denominator < 0n ? -denominator : denominator];
  let exponent = n.toString(2).length - d.toString(2).length - 24;
  if (exponent > 0) d <<= BigInt(exponent);
  else n <<= BigInt(-exponent);
  if (n >= d << 24n) [d, exponent] = [d << 1n, exponent + 1];
  let quotient = n / d;
  const twice = 2n * (n % d);
  if (twice > d || (twice === d && quotient % 2n === 1n)) quotient++;
  const value = Number(quotient) * 2 ** Math.max(-900, Math.min(900, exponent + shift));
  return canon(negative ? -value : value);
}

/**
 * The root of x, rounded to 24 bits. It is never a tie, since the square of 25 bits that end in 1 has more
 * than 24 bits.
 */
export function roundedRoot(x: number): number {
  if (x <= 0) return 0;
  // 32 bits of the root, and a last bit that says whether anything follows.
  const radicand = exact(x) << 200n;
  let root = integerRoot(radicand);
  root = 2n * root + (root * root === radicand ? 0n : 1n);
  return rounded(root, 1n, -201);
}

/** The largest integer whose square is not above n (Newton). */
function integerRoot(n: bigint): bigint {
  let x = 1n << BigInt(((n.toString(16).length * 4) / 2 + 1) | 0);
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}
