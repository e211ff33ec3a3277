/** Converts elements of tensors between JavaScript numbers and bit patterns. */
import type { DType } from "../../encoding/dtypes.ts";
import { bitsOf, fromBits, isCanonicalBits, MAX_BITS, MIN_BITS } from "./vf32.ts";

interface Patterns {
  value(bits: number): number;
  /** The bit pattern of a value of the type, as an unsigned integer. */
  bits(value: number): number;
  /** Whether a tensor may hold the bit pattern, an unsigned integer. */
  isCanonical(bits: number): boolean;
}

const PATTERNS: Readonly<Record<DType, Patterns>> = {
  f32: { value: fromBits, bits: bitsOf, isCanonical: isCanonicalBits },
  i32: { value: (bits) => bits | 0, bits: (value) => value >>> 0, isCanonical: (bits) => bits >>> 0 === bits },
};

/** The number with an element's bit pattern. */
export function elementOf(dtype: DType, bits: number): number {
  return PATTERNS[dtype].value(bits);
}

/** The bit pattern of an element, as an unsigned integer. */
export function patternOf(dtype: DType, value: number): number {
  return PATTERNS[dtype].bits(value);
}

/** Whether it is an unsigned 32-bit integer that a tensor of this type may hold as a pattern (spec 2.1). */
export function isElement(dtype: DType, bits: number): boolean {
  return PATTERNS[dtype].isCanonical(bits);
}

/**
 * The index of the first bit pattern that a tensor of this type can't hold, or -1. It reads every element of
 * every tensor from outside once, so it is a plain loop.
 */
export function firstInvalid(dtype: DType, words: Uint32Array): number {
  if (dtype === "i32") return -1; // Every pattern is an integer.
  for (let i = 0; i < words.length; i++) {
    const bits = words[i];
    if (((bits & 0x7fffffff) - MIN_BITS) >>> 0 > MAX_BITS - MIN_BITS && bits !== 0) return i;
  }
  return -1;
}
