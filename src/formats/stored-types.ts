/** The element types of safetensors files, and how those are read that Verde has a type for. */
import type { DType, DTYPES, ElementArray } from "../encoding/dtypes.ts";
import { FormatError } from "../errors/index.ts";
import { importFloats, isCanonicalBits } from "../repops/numbers/vf32.ts";

/** How content becomes elements. */
export interface DecodeOptions {
  /** Accept magnitudes above 2^127, infinities included, as ±2^127. */
  saturate?: boolean;
  /** Take F32 unchanged, even if it is not vf32: for content that is checked against a root. */
  raw?: boolean;
}

type Decode = (bytes: Uint8Array<ArrayBuffer>, name: string, options: DecodeOptions) => ElementArray;
interface Format {
  type: DType;
  decode: Decode;
  /** The elements where they lie; `undefined` when some have to be changed. Absent: all have to be. */
  inPlace?(file: ArrayBuffer, from: number, count: number, options: DecodeOptions): ElementArray | undefined;
}

const floats =
  (convert: (bytes: Uint8Array<ArrayBuffer>) => ArrayLike<number>): Decode =>
  (bytes, name, { saturate = false }) =>
    importFloats(convert(bytes), { name, saturate });

/** The types that are read, including the types that Verde writes. */
export const READ: Readonly<Record<string, Format>> = {
  F32: {
    type: "f32",
    decode: (b, name, { raw = false, saturate = false }) => {
      const values = new Float32Array(b.buffer);
      return raw || isVf32(new Uint32Array(b.buffer)) ? values : importFloats(values, { name, saturate });
    },
    inPlace: (file, from, count, { raw = false }) => {
      const values = new Float32Array(file, from, count);
      return raw || isVf32(new Uint32Array(file, from, count)) ? values : undefined;
    },
  },
  F64: { type: "f32", decode: floats((b) => new Float64Array(b.buffer)) },
  F16: { type: "f32", decode: floats((b) => Float64Array.from(new Uint16Array(b.buffer), halfToNumber)) },
  BF16: { type: "f32", decode: floats(bfloat16) },
  I32: {
    type: "i32",
    decode: (b) => new Int32Array(b.buffer),
    inPlace: (file, from, count) => new Int32Array(file, from, count),
  },
  I64: { type: "i32", decode: narrow },
} satisfies Record<(typeof DTYPES)[DType]["safetensors"], Format> & Record<string, Format>;

const WIDTHS: readonly (readonly [number, string])[] = [
  [4, "F4"],
  [6, "F6_E2M3 F6_E3M2"],
  [8, "BOOL U8 I8 F8_E5M2 F8_E4M3 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ"],
  [16, "I16 U16 F16 BF16"],
  [32, "I32 U32 F32"],
  [64, "I64 U64 F64 C64"],
];
/** The bits of an element, for every type of the format. A type that is not here is of a later version. */
export const BITS: ReadonlyMap<string, number> = new Map(
  WIDTHS.flatMap(([bits, names]) => names.split(" ").map((name) => [name, bits] as const)),
);

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function bfloat16(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const words = new Uint16Array(bytes.buffer);
  return new Float32Array(Uint32Array.from(words, (half) => half << 16).buffer);
}

/** Whether all patterns are vf32. */
function isVf32(patterns: Uint32Array): boolean {
  for (const bits of patterns) if (!isCanonicalBits(bits)) return false;
  return true;
}

function narrow(bytes: Uint8Array<ArrayBuffer>, name: string): Int32Array {
  return Int32Array.from(new BigInt64Array(bytes.buffer), (value, i) => {
    if (BigInt.asIntN(32, value) !== value)
      throw new FormatError(
        "RANGE",
        `${name}: element ${i} is ${value}, which 32 bits do not hold; convert the data to i32 first`,
        { name, index: i },
      );
    return Number(value);
  });
}
