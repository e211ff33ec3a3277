/**
 * The values of `vf32` (spec 2.1): +0 and every binary32 x with 2^-125 ≤ |x| ≤ 2^127. There is no -0, no
 * subnormal, no infinity and no NaN, because devices disagree on these values.
 */
import { checkOptions, describe } from "../../errors/arguments.ts";
import { ValueError } from "../../errors/index.ts";
import { hex32 } from "../../encoding/bytes.ts";
import { MAX_ELEMENTS } from "../../encoding/tensor.ts";

/** The least positive vf32. */
export const MIN_VALUE = 2 ** -125;
/** The greatest vf32. Larger numbers become this one. */
export const MAX_VALUE = 2 ** 127;
export const MIN_BITS = 0x01000000;
export const MAX_BITS = 0x7f000000;

const floats = new Float32Array(1);
const words = new Uint32Array(floats.buffer);

/** The bit pattern of a binary32 number, as an unsigned integer. */
export function bitsOf(value: number): number {
  floats[0] = value;
  return words[0];
}

export function fromBits(bits: number): number {
  words[0] = bits;
  return floats[0];
}

/**
 * spec 2.2: NaN and magnitudes below 2^-125, -0 included, become +0; magnitudes above 2^127 saturate and keep
 * their sign.
 */
export function canon(value: number): number {
  const magnitude = Math.abs(value);
  if (!(magnitude >= MIN_VALUE)) return 0;
  return magnitude > MAX_VALUE ? Math.sign(value) * MAX_VALUE : value;
}

export function canonBits(bits: number): number {
  const magnitude = bits & 0x7fffffff;
  if (magnitude < MIN_BITS || magnitude > 0x7f800000) return 0;
  return (magnitude > MAX_BITS ? (bits & 0x80000000) | MAX_BITS : bits) >>> 0;
}

/** Whether it is the pattern of a vf32, as an unsigned integer. */
export function isCanonicalBits(bits: number): boolean {
  return canonBits(bits) === bits;
}

/**
 * Whether a value has reached the largest magnitude. In a loss or a state this is reported as diverged
 * training.
 */
export function isSaturated(value: number): boolean {
  return Math.abs(value) === MAX_VALUE;
}

export interface ImportOptions {
  /** The name of the numbers in errors: a file and a tensor. */
  name?: string;
  /** Accept magnitudes above 2^127, infinities included, as ±2^127. NaN is still refused. */
  saturate?: boolean;
}

/**
 * Converts numbers from outside to vf32 (spec 2.3): rounded to nearest even; then magnitudes below 2^-125
 * become +0.
 * @throws {ValueError} for NaN, for magnitudes above 2^127 unless `saturate` is set, and for what is no
 *   number; it names tensor and index
 */
export function importFloats(values: ArrayLike<number>, options: ImportOptions = {}): Float32Array {
  checkOptions(options, ["name", "saturate"], (problem) => new ValueError("TYPE", `importFloats: ${problem}`));
  const { name = "array", saturate = false } = options;
  if (typeof name !== "string" || typeof saturate !== "boolean")
    throw new ValueError("TYPE", "importFloats: name is a text, and saturate is true or false; give them so");
  const out = new Float32Array(lengthOf(values, name));
  for (let i = 0; i < out.length; i++) {
    const value = Math.fround(numberAt(values, i, name));
    if (Number.isNaN(value) || (Math.abs(value) > MAX_VALUE && !saturate))
      throw new ValueError(
        Number.isNaN(value) ? "NAN" : "RANGE",
        `${name}: element ${i} is ${values[i]} (${hex32(bitsOf(value))}), which vf32 does not hold` +
          (Number.isNaN(value) ? "; repair the data" : "; repair the data, or saturate it at 2^127 on purpose"),
        { name, index: i, value: values[i] },
      );
    out[i] = canon(value);
  }
  return out;
}

/** @throws {ValueError} when it is no list */
export function lengthOf(values: ArrayLike<number>, name: string): number {
  const length: unknown = typeof values === "object" && values !== null ? values.length : undefined;
  if (typeof length !== "number" || !Number.isInteger(length) || length < 0 || length > MAX_ELEMENTS)
    throw new ValueError("TYPE", `${name}: its values are ${describe(values)}; give a list of numbers`, { name });
  return length;
}

/** @throws {ValueError} when the element is no number: a text, a bigint, or nothing */
export function numberAt(values: ArrayLike<number>, index: number, name: string): number {
  const value: unknown = values[index];
  if (typeof value === "number") return value;
  throw new ValueError("TYPE", `${name}: element ${index} is ${describe(value)}, not a number; repair the data`, {
    name,
    index,
  });
}
