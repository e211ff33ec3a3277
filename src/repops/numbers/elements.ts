/** Elements of tensors as numbers of JavaScript, and back to their bit patterns. */
import type { DType } from "../../encoding/dtypes.ts";
import { bitsOf, fromBits, isCanonicalBits } from "./vf32.ts";

interface Patterns {
  value(bits: number): number;
  /** Of a value that the type has, as an unsigned integer. */
  bits(value: number): number;
  isCanonical(bits: number): boolean;
}

const PATTERNS = {
  f32: { value: fromBits, bits: bitsOf, isCanonical: isCanonicalBits },
  i32: { value: (bits) => bits | 0, bits: (value) => value >>> 0, isCanonical: () => true },
} as const satisfies Record<DType, Patterns>;

/** The number that an element's bit pattern stands for. */
export function elementOf(dtype: DType, bits: number): number {
  return PATTERNS[dtype].value(bits);
}

/** The bit pattern of an element, as an unsigned integer. */
export function patternOf(dtype: DType, value: number): number {
  return PATTERNS[dtype].bits(value);
}

/** Whether a tensor of this type may hold the bit pattern (spec 2.1). */
export function isElement(dtype: DType, bits: number): boolean {
  return PATTERNS[dtype].isCanonical(bits);
}
