import { describe } from "../errors/arguments.ts";
import { ShapeError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { asBytes, type Bytes, type Reader, Writer } from "./bytes.ts";
import { type DType, DTYPES, type ElementArray, zeroElements } from "./dtypes.ts";
import { type Digest, taggedHash } from "./hash.ts";
import { Tag } from "./tags.ts";
import { buildLevels, hashLeaf, type Levels, rootOf, type TreeRoot } from "./merkle.ts";

export type { DType } from "./dtypes.ts";
/** Extents, outermost axis first: `[8, 64]`. A scalar has no extents. */
export type Shape = readonly number[];

/** The type and shape of a tensor, which give its bits their meaning. */
export interface TensorType {
  dtype: DType;
  /** A scalar has rank 0. An extent may be 0. */
  shape: Shape;
}

/** A dense tensor in row-major order; f32 holds vf32 bit patterns. */
export interface Tensor extends TensorType {
  data: ElementArray;
}

/** The 32 bytes that commit to a tensor: its type, its shape and every bit (spec 6.4). */
export type TensorRoot = Digest<"tensor">;

/**
 * Elements in a chunk: 64, 256 bytes. Two operand chunks and their proofs fit into one transaction (spec
 * 6.4).
 */
export const CHUNK_ELEMENTS = 64;
/** The bytes of a full chunk. */
export const CHUNK_BYTES = 4 * CHUNK_ELEMENTS;
/** The largest number of axes of a tensor. */
export const MAX_RANK = 8;
/** The largest number of elements: element indices stay exact in 32-bit integers on every device. */
export const MAX_ELEMENTS = 2 ** 31 - 1;

/** The product of the extents: 1 for a scalar. */
export function elementCount(shape: Shape): number {
  let count = 1;
  for (const extent of shape) count *= extent;
  return count;
}

/** The bytes of a tensor's elements. */
export function byteLength({ dtype, shape }: TensorType): number {
  return DTYPES[dtype].bytes * elementCount(shape);
}

/**
 * @param what whose shape it is, for the error
 * @param most the largest number of elements; `Infinity` for a view, which repeats elements and holds none
 * @throws {ShapeError} when the rank, an extent or the number of elements is out of range
 */
export function checkShape(shape: Shape, what: string, most = MAX_ELEMENTS): void {
  if (!Array.isArray(shape))
    throw new ShapeError("EXTENTS", `${what}: its shape is ${describe(shape)}; give a list of extents`);
  // A list with holes has no extents in them, which `every` would pass over.
  const whole = [...shape].every((extent) => typeof extent === "number" && extent >>> 0 === extent);
  if (!whole || shape.length > MAX_RANK || elementCount(shape) > most)
    throw new ShapeError(
      "EXTENTS",
      `${what}: [${quote(extentsText(shape))}] is not a shape: it takes at most ${MAX_RANK} extents, whole numbers from 0 to 2^32 - 1, and at most ${MAX_ELEMENTS} elements`,
      { shape },
    );
}

/** The extents as text, whatever they are. */
const extentsText = (shape: readonly unknown[]): string =>
  Array.from(shape.slice(0, 64), (extent) => (typeof extent === "number" ? String(extent) : describe(extent))).join(
    ", ",
  );

/** Whether two shapes have the same extents. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis]);
}

/** `f32[8, 64]` */
export function formatType(type: TensorType): string {
  return `${type.dtype}[${type.shape.join(", ")}]`;
}

/** A tensor of a type, every element 0. */
export function zeros(type: TensorType): Tensor {
  return { ...type, data: zeroElements(type.dtype, elementCount(type.shape)) };
}

/** A tensor whose elements come next, as little-endian bytes. @throws {FormatError} when some are missing */
export function readElements(reader: Reader, type: TensorType): Tensor {
  // The elements are read before the tensor is allocated, so missing elements can't make it allocate memory.
  const elements = reader.bytes(byteLength(type));
  const tensor = zeros({ dtype: type.dtype, shape: type.shape });
  asBytes(tensor.data).set(elements);
  return tensor;
}

/** Element number `index` of a row-major tensor as coordinates. */
export function unravel(index: number, shape: Shape): number[] {
  const coordinates = new Array<number>(shape.length);
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    coordinates[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return coordinates;
}

/** The element's 32-bit pattern. */
export function elementBits(tensor: Tensor, index: number): number {
  return new DataView(tensor.data.buffer, tensor.data.byteOffset).getUint32(4 * index, true);
}

/** The index of the first element in which two tensors of one type differ, or `undefined`. */
export function firstDifference(a: Tensor, b: Tensor): number | undefined {
  if (!sameShape(a.shape, b.shape) || a.dtype !== b.dtype) return undefined;
  const [x, y] = [a, b].map(({ data }) => new Uint32Array(data.buffer, data.byteOffset, data.length));
  const at = x.findIndex((word, i) => word !== y[i]);
  return at < 0 ? undefined : at;
}

/** The canonical bytes of a type: dtype, rank, extents (spec 6.4). */
export function encodeType(type: TensorType): Bytes {
  const writer = new Writer().u8(DTYPES[type.dtype].code).u8(type.shape.length, "the rank of a tensor");
  for (const extent of type.shape) writer.u32(extent, "an extent of a tensor");
  return writer.finish();
}

/** The number of chunks of a tensor; 0 if an extent is 0. */
export function chunkCount(type: TensorType): number {
  return Math.ceil(elementCount(type.shape) / CHUNK_ELEMENTS);
}

/** Chunk `index` of raw little-endian elements; the last one may be shorter. */
export function chunkAt(bytes: Bytes, index: number): Bytes {
  return bytes.subarray(index * CHUNK_BYTES, Math.min((index + 1) * CHUNK_BYTES, bytes.length));
}

/** The tree over a tensor's chunks (spec 6.4). */
export function chunkTree(bytes: Bytes): Levels {
  const leaves: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    leaves.push(hashLeaf(Tag.chunk, bytes.subarray(at, Math.min(at + CHUNK_BYTES, bytes.length))));
  return buildLevels(leaves);
}

/** A tensor's root binds its type, its shape and the tree over its chunks. */
export function tensorRootOf(type: TensorType, tree: TreeRoot): TensorRoot {
  return taggedHash(Tag.tensor, encodeType(type), tree);
}

/** The root of a tensor (spec 6.4). */
export function tensorRoot(tensor: Tensor): TensorRoot {
  return tensorRootOf(tensor, rootOf(chunkTree(asBytes(tensor.data))));
}

/** The root of a list of tensors: a state or a dataset (spec 6.5). */
export type StateRoot = Digest<"state">;

/** The tree over the roots of a list of tensors (spec 6.5). */
export function stateTree(roots: readonly TensorRoot[]): Levels {
  return buildLevels(roots.map((root) => hashLeaf(Tag.stateLeaf, root)));
}

/** The root of a list of tensors, from their number and the root of `stateTree` (spec 6.5). */
export function stateRootOf(count: number, tree: TreeRoot): StateRoot {
  return taggedHash(Tag.state, new Writer().u32(count, "the number of tensors").finish(), tree);
}

/** The root of a list of tensors, from their roots in order (spec 6.5). */
export function stateRoot(roots: readonly TensorRoot[]): StateRoot {
  return stateRootOf(roots.length, rootOf(stateTree(roots)));
}
