/**
 * The element types of tensors, one row each (spec 5.1, 6.4). Code that depends on the type uses a column of
 * this table, or has a table of its own that `satisfies Record<DType, …>`. So a row that is added here does
 * not compile until each of these tables has it.
 */

interface Row {
  /** The number of the type in encodings. */
  code: number;
  /**
   * The bytes of an element. Chunks, patterns and the contracts support only words of 32 bits: another width
   * would need a change of all of them.
   */
  bytes: 4;
  /**
   * The class of the array that holds the elements. Their bits are little-endian on every machine that this
   * runs on.
   */
  array: Elements;
  /** The type of an element in scalar programs: a float or an int. */
  scalar: "f" | "i";
  /** The name of the type in safetensors files. */
  safetensors: string;
}

/** Makes arrays of elements: zeros, or a view of existing bytes. */
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
/** The arrays that hold the elements of tensors. */
export type ElementArray = Float32Array | Int32Array;

/** @returns the type with this code; `undefined` if there is none */
export function dtypeFromCode(code: number): DType | undefined {
  return (Object.keys(DTYPES) as DType[]).find((dtype) => DTYPES[dtype].code === code);
}

/** @returns the type that safetensors files call so; `undefined` for another one */
export function dtypeFromSafetensors(name: string): DType | undefined {
  return (Object.keys(DTYPES) as DType[]).find((dtype) => DTYPES[dtype].safetensors === name);
}

/** An array of `length` zeros. */
export function zeroElements(dtype: DType, length: number): ElementArray {
  const array: Elements = DTYPES[dtype].array;
  return new array(length);
}

/**
 * The elements in a buffer, as a view.
 * @param byteOffset a multiple of 4
 * @param length in elements; absent: to the buffer's end
 */
export function elementsIn(dtype: DType, buffer: ArrayBufferLike, byteOffset = 0, length?: number): ElementArray {
  const array: Elements = DTYPES[dtype].array;
  return new array(buffer, byteOffset, length);
}
