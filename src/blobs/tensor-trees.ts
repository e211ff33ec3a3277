/**
 * The trees of the tensors in a safetensors file, as the commitments of runs have them (spec 6.4, 6.5). Only
 * the header and the upper levels are kept in memory.
 */
import type { Bytes } from "../encoding/bytes.ts";
import { DTYPES, dtypeFromSafetensors } from "../encoding/dtypes.ts";
import { LongTree } from "../encoding/long-tree.ts";
import { rootOf, buildLevels, type TreeRoot } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import {
  CHUNK_BYTES,
  chunkCount,
  type StateRoot,
  stateRoot,
  type TensorRoot,
  tensorRootOf,
  type TensorType,
} from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { readHeader } from "../formats/safetensors-header.ts";

/** A block is the subtree of 2^10 chunks: 256 KiB, which are fetched and checked together. */
export const BLOCK_HEIGHT = 10;
/** The bytes of a whole block. */
export const BLOCK_BYTES = CHUNK_BYTES * 2 ** BLOCK_HEIGHT;

/** Blocks whose lower levels are kept of each tensor: they are asked for only where a chunk was wrong. */
const KEPT_BLOCKS = 2;

/** A tensor, with the place of its elements in the file. */
export interface PlacedTensor extends TensorType {
  name: string;
  start: number;
  length: number;
}

/** What a safetensors file holds, if its trees can be made from its bytes. */
export interface TensorFile {
  /** The bytes before the first tensor. */
  readonly start: number;
  /** In the order of the file. */
  readonly tensors: readonly PlacedTensor[];
}

/**
 * @param what names the file, for errors
 * @throws {FormatError} when it is no safetensors file, or holds other types than F32 and I32
 */
export async function tensorFileOf(file: ByteSource, what: string): Promise<TensorFile> {
  const { entries, start } = await readHeader(file, what);
  const tensors = entries.map(({ name, type, shape, offsets }) => {
    const dtype = dtypeFromSafetensors(type);
    if (dtype === undefined)
      throw new FormatError("UNSUPPORTED", `${what}: tensor ${quote(name)} is of type ${quote(type)}, which has no tree; only ${Object.values(DTYPES).map((row) => row.safetensors).join(" and ")} have`, { name, type }); // prettier-ignore
    return { name, dtype, shape, start: start + offsets[0], length: offsets[1] - offsets[0] };
  });
  return { start, tensors };
}

/** The root of a tensor, from the roots of all its blocks. */
export const rootOfBlocks = (type: TensorType, blocks: readonly Bytes[]): TensorRoot =>
  tensorRootOf(type, rootOf(buildLevels(blocks)));

/** The number of blocks of a tensor; 0 if it has no elements. */
export const blockCount = (type: TensorType): number => Math.ceil(chunkCount(type) / 2 ** BLOCK_HEIGHT);

export class TensorTrees {
  readonly tensors: readonly PlacedTensor[];
  private readonly file: ByteSource;
  private readonly trees = new Map<number, Promise<LongTree>>();

  private constructor(file: ByteSource, tensors: readonly PlacedTensor[]) {
    this.file = file;
    this.tensors = tensors;
  }

  /** @throws {FormatError} when it is no safetensors file, or holds other types than F32 and I32 */
  static async over(file: ByteSource, what: string): Promise<TensorTrees> {
    return new TensorTrees(file, (await tensorFileOf(file, what)).tensors);
  }

  /** The roots of all tensors, in the order of the file. Reads the file once. */
  async roots(): Promise<TensorRoot[]> {
    const roots: TensorRoot[] = [];
    for (const [i, tensor] of this.tensors.entries()) roots.push(tensorRootOf(tensor, (await this.tree(i)).root));
    return roots;
  }

  /** The root of the list of tensors: of a state, or a dataset (spec 6.5). */
  async root(): Promise<StateRoot> {
    return stateRoot(await this.roots());
  }

  /**
   * Nodes of one level of a tensor's tree.
   * @throws {FormatError} when there is no such tensor
   */
  async row(tensor: number, height: number, from: number, to: number): Promise<Bytes[]> {
    if (this.tensors[tensor] === undefined)
      throw new FormatError("INDEX", `there is no tensor ${tensor}; the file has ${this.tensors.length}, counted from 0`, { tensor }); // prettier-ignore
    return (await this.tree(tensor)).row(height, from, to);
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private tree(index: number): Promise<LongTree> {
    const known = this.trees.get(index);
    if (known) return known;
    const tensor = this.tensors[index];
    const made = LongTree.over({ length: chunkCount(tensor), slice: (from, to) => this.chunks(tensor, from, to) }, Tag.chunk, KEPT_BLOCKS); // prettier-ignore
    this.trees.set(index, made);
    made.catch(() => this.trees.delete(index));
    return made;
  }

  private async chunks({ start, length }: PlacedTensor, from: number, to: number): Promise<Bytes[]> {
    const [first, end] = [from * CHUNK_BYTES, Math.min(to * CHUNK_BYTES, length)];
    const bytes = await this.file.read(start + first, end - first);
    if (bytes.length < end - first)
      throw new FormatError("TRUNCATED", "the file was cut while its trees were made; start again");
    return chunksIn(bytes);
  }
}

/** Chunks of a stretch of a tensor that begins with a whole chunk. */
export function chunksIn(bytes: Bytes): Bytes[] {
  const chunks: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(bytes.subarray(at, at + CHUNK_BYTES));
  return chunks;
}

/** The root of a tree without leaves, which a tensor without elements has. */
export const emptyTree = (): TreeRoot => rootOf(buildLevels([]));
