/**
 * The element types of tensors, one row each (spec 5.1, 6.4). Whoever has to decide by the type takes a row's column, or has a table of its
 * own that `satisfies Record<DType, …>`: a row that is added here does not compile until each of them has decided.
 */

interface Row {
  /** In encodings. */
  code: number;
  /** Of an element. Chunks, patterns and the contracts know words of 32 bits alone: another width is a decision about those. */
  bytes: 4;
  /** What holds the elements; their bits are little-endian on every machine that this runs on. */
  array: Elements;
  /** What scalar programs take an element as: a float or an int. */
  scalar: "f" | "i";
  /** Its name in safetensors files. */
  safetensors: string;
}

/** Makes arrays of elements: zeros, or a view of bytes that are there. */
interface Elements {
  new (length: number): ElementArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): ElementArray;
}

/** The element types by their names. */
export const DTYPES = {
  /** vf32 (spec 2.1) */
  f32: { code: 1, bytes: 4, array: Float32Array, scalar: "f", safetensors: "F32" },
  i32: { code: 2, bytes: 4, array: Int32Array, scalar: "i", safetensors: "I32" },
} as const satisfies Record<string, Row>;

/** The type of a tensor's elements: vf32 numbers, or signed 32-bit integers. */
export type DType = keyof typeof DTYPES;
/** What holds the elements of a tensor. */
export type ElementArray = Float32Array | Int32Array;

/** @returns `undefined` for a code that no type has */
export function dtypeFromCode(code: number): DType | undefined {
  return (Object.keys(DTYPES) as DType[]).find((dtype) => DTYPES[dtype].code === code);
}

/** So many zeros. */
export function zeroElements(dtype: DType, length: number): ElementArray {
  const array: Elements = DTYPES[dtype].array;
  return new array(length);
}

/**
 * The elements that lie in a buffer.
 * @param byteOffset a multiple of 4
 * @param length in elements; absent: to the buffer's end
 */
export function elementsIn(dtype: DType, buffer: ArrayBufferLike, byteOffset = 0, length?: number): ElementArray {
  const array: Elements = DTYPES[dtype].array;
  return new array(buffer, byteOffset, length);
}
