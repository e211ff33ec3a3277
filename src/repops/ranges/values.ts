/** Sets of register values, as the range analysis knows them (spec 3.5). */
import { RANGE_EXPONENT, type ClampRange } from "../kernels/kernel.ts";
import { fromBits, MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";

export interface FloatRange {
  low: number;
  high: number;
  /** The smallest magnitude that is not zero; infinite for the constant 0. */
  least: number;
  /** Every value is a multiple of 2^quantum. */
  quantum: number;
  zero: boolean;
  /** The register of a device that does not apply `canon` here may hold -0. */
  negativeZero: boolean;
  /** Only between an instruction and its `canon`. */
  nan?: boolean;
}

/** Signed 32-bit integers, both ends included. */
export interface IntRange {
  low: number;
  high: number;
}

export interface BoolRange {
  canBeTrue: boolean;
  canBeFalse: boolean;
}

/** The range of one value of a program: its kind follows from the type of the value. */
export type Range = FloatRange | IntRange | BoolRange;

/** Above every exponent: the quantum of 0. */
export const ANY_QUANTUM = 1000;

export const FULL_INT: IntRange = { low: -(2 ** 31), high: 2 ** 31 - 1 };

/** Every vf32. */
export const FULL_FLOAT: FloatRange = {
  low: -MAX_VALUE,
  high: MAX_VALUE,
  least: MIN_VALUE,
  quantum: -148,
  zero: true,
  negativeZero: false,
};

const doubles = new DataView(new ArrayBuffer(8));

/** floor(log2(x)) for a positive x of binary64 that is not subnormal; 1024 for infinity. */
export function exponentOf(x: number): number {
  doubles.setFloat64(0, x);
  return (doubles.getUint32(0) >>> 20) - 1023;
}

/** Narrows each part of a range by what the other parts imply; `undefined` when no value is left. */
export function normalize(range: FloatRange): FloatRange | undefined {
  let { low, high, least, quantum, zero, negativeZero } = range;
  if (!zero && low >= 0) low = Math.max(low, least);
  if (!zero && high <= 0) high = Math.min(high, -least);
  if (low > 0) least = Math.max(least, low);
  if (high < 0) least = Math.max(least, -high);
  zero &&= low <= 0 && high >= 0;
  if (Math.max(-low, high) < least) low = high = 0;
  if (low > high || (low === 0 && high === 0 && !zero)) return undefined;
  if (low === 0 && high === 0) return { ...zeroRange(), negativeZero };
  negativeZero &&= zero;
  quantum = Math.max(quantum, exponentOf(least) - 23);
  return { low, high, least, quantum, zero, negativeZero };
}

export function zeroRange(): FloatRange {
  return { low: 0, high: 0, least: Infinity, quantum: ANY_QUANTUM, zero: true, negativeZero: false };
}

/** The range of one canonical number. */
export function constantRange(bits: number): FloatRange {
  const value = fromBits(bits);
  if (value === 0) return zeroRange();
  const least = Math.abs(value);
  let quantum = exponentOf(least) - 23;
  while ((least / 2 ** (quantum + 1)) % 1 === 0) quantum++;
  return { low: value, high: value, least, quantum, zero: false, negativeZero: false };
}

/** The range of a vf32 after it is clamped to an operand's clamp range (spec 4.3). */
export function rangedFloat(clampRange: ClampRange): FloatRange {
  const e = RANGE_EXPONENT[clampRange];
  if (e === 0) return FULL_FLOAT;
  return { low: -(2 ** e), high: 2 ** e, least: 2 ** -e, quantum: -e - 23, zero: true, negativeZero: false };
}
