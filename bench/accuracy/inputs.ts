/** The canonical inputs in their order: +0, then the positive and the negative ones by growing magnitude. */
import { MAX_BITS, MAX_VALUE, MIN_BITS, MIN_VALUE } from "../../src/repops/numbers/vf32.ts";

const POSITIVE = MAX_BITS - MIN_BITS + 1;
/** How many there are. */
export const CANONICAL_COUNT = 1 + 2 * POSITIVE;
/** The first negative input. */
export const FIRST_NEGATIVE = 1 + POSITIVE;

/** The bits of canonical input `index`. */
export function bitsAt(index: number): number {
  if (index === 0) return 0;
  return index < FIRST_NEGATIVE ? MIN_BITS + index - 1 : (0x80000000 | (MIN_BITS + index - FIRST_NEGATIVE)) >>> 0;
}

/** 2^(23 - e) for e from MIN_EXPONENT: the reciprocal of a unit in the last place. */
const MIN_EXPONENT = -125;
const UNITS = Float64Array.from({ length: 128 - MIN_EXPONENT }, (_, i) => 2 ** (23 - MIN_EXPONENT - i));
const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
/** Which half of a double has its exponent. */
const UPPER = new Uint8Array(new Uint16Array([1]).buffer)[0];

/** |y - exact| in units of the last place of `exact`; 0 where `exact` is too small and y is 0. */
export function errorInUlp(y: number, exact: number): number {
  const target = exact > MAX_VALUE ? MAX_VALUE : exact < -MAX_VALUE ? -MAX_VALUE : exact;
  const size = Math.abs(target);
  if (size < MIN_VALUE && y === 0) return 0;
  double[0] = size < MIN_VALUE ? MIN_VALUE : size;
  return Math.abs(y - target) * UNITS[(halves[UPPER] >>> 20) - 1023 - MIN_EXPONENT];
}
