/**
 * Operands that expose a device's faults: fusing, flushing, double rounding, a wrong tie or an overflow would
 * change their results. They are computed with integers, so they are the same on every machine.
 */
import { canonBits } from "../numbers/vf32.ts";
import type { Words } from "./data.ts";

const SIGN = 0x80000000;
const FRACTION = 0x7fffff;

/** A vf32 pattern from a sign, a biased exponent (which is clamped) and a fraction. */
function pattern(sign: number, exponent: number, fraction: number): number {
  return canonBits((sign & SIGN) | (Math.max(2, Math.min(254, exponent)) << 23) | (fraction & FRACTION));
}

const exponentOf = (bits: number): number => (bits >>> 23) & 255;
const END_FRACTIONS = [0, 1, 2, FRACTION, FRACTION - 1, 0x400000, 0x3fffff, 0x400001] as const;
const endFraction = (next: Words): number => END_FRACTIONS[next() % END_FRACTIONS.length];

/** Two operands that are hard together. */
const PAIRS: readonly ((next: Words) => [number, number])[] = [
  // Almost opposite operands: their sum is small and exact.
  (next) => {
    const x = pattern(next(), 2 + (next() % 253), next());
    return [x, canonBits((x ^ SIGN) + (next() % 5) - 2)];
  },
  // A tie of a sum, and its neighbours: one operand is half a unit in the last place of the other.
  (next) => {
    const exponent = 30 + (next() % 220);
    return [pattern(next(), exponent, next()), pattern(next(), exponent - 24 + (next() % 2), endFraction(next))];
  },
  // Sums at 2^127, and differences that cross a power of two.
  (next) => [pattern(next(), 253 + (next() % 2), endFraction(next)), pattern(next(), 228 + (next() % 27), next())],
  (next) => {
    const exponent = 3 + (next() % 250);
    return [pattern(0, exponent, next() % 3), pattern(SIGN, exponent - 1 - (next() % 26), endFraction(next))];
  },
  // Products at 2^-125, where flushing before rounding shows.
  (next) => {
    const exponent = 2 + (next() % 125);
    return [pattern(next(), exponent, endFraction(next)), pattern(next(), 127 + 2 - exponent - (next() % 3), next())];
  },
  (next) => {
    const exponent = 2 + (next() % 125);
    const y = pattern(next(), 127 + 1 - exponent, endFraction(next));
    return [pattern(next(), exponent, endFraction(next)), y];
  },
  // Products at 2^127.
  (next) => {
    const exponent = 128 + (next() % 126);
    const y = pattern(next(), 127 + 254 - exponent - (next() % 3), endFraction(next));
    return [pattern(next(), exponent, endFraction(next)), y];
  },
  // Exact ties of a product: 13 bits times 12 bits is 25 bits.
  (next) => [
    pattern(next(), 64 + (next() % 126), (next() & 0xfff) << 11) | (1 << 11),
    pattern(next(), 64 + (next() % 126), (next() & 0x7ff) << 12) | (1 << 12),
  ],
  // Quotients at both ends of the range, and quotients of neighbours.
  (next) => {
    const exponent = 2 + (next() % 253);
    return [
      pattern(next(), exponent, endFraction(next)),
      pattern(next(), exponent + (next() & 1 ? 125 : -127), endFraction(next)),
    ];
  },
  (next) => {
    const x = pattern(next(), 2 + (next() % 253), next());
    return [x, canonBits(x + (next() % 7) - 3)];
  },
  // A zero as either operand.
  (next) => [0, pattern(next(), 2 + (next() % 253), endFraction(next))],
  (next) => [pattern(next(), 2 + (next() % 253), endFraction(next)), 0],
  () => [0, 0],
];

export function floatPair(next: Words): [number, number] {
  return PAIRS[next() % PAIRS.length](next);
}

/** A float and an integer: counts that scale to either end of the range, and random counts. */
export function floatAndCount(next: Words): [number, number] {
  const x = pattern(next(), 2 + (next() % 253), endFraction(next));
  const ends = [2 - exponentOf(x), 1 - exponentOf(x), 254 - exponentOf(x), 255 - exponentOf(x)];
  return [x, [...ends, -254, 254, -2147483648, 2147483647][next() % 8]];
}

/** Every power of two with its neighbours and half-way points, with both signs. */
export function powersOfTwo(): number[] {
  const fractions = [0, 1, FRACTION, 0x400000, 0x3fffff];
  const all: number[] = [];
  for (let exponent = 2; exponent <= 254; exponent++)
    for (const fraction of fractions)
      for (const sign of [0, SIGN]) all.push(canonBits((sign | (exponent << 23) | fraction) >>> 0));
  return all;
}

/** Integers whose conversion is a tie, and their neighbours; `powersOfTwo` has whole and half numbers. */
export function tieInteger(next: Words): number {
  const width = 25 + (next() % 7);
  const lead = 2 ** (width - 1);
  const unit = 2 ** (width - 24);
  const value = lead + (next() % 2 ** 23) * unit + unit / 2 + (next() % 3) - 1;
  return (next() & 1 ? -value : value) | 0;
}

const RANGE_ENDS = [0x25fffffe, 0x26000000, 0x59000000, 0x59000001, 0x0c7ffffe, 0x0c800000, 0x72800000, 0x72800001];

/** Patterns around the ends of the dot and the sum range; some of their products reach both ends of vf32. */
export function rangeEnd(next: Words): number {
  const end = RANGE_ENDS[next() % RANGE_ENDS.length] + (next() % 3) - 1;
  return canonBits(end | (next() & SIGN));
}
