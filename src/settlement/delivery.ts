/**
 * The proof that a chunk belongs to the final state of a run (spec 6.8): the twin of
 * contracts/libraries/Commitments.sol. The client can demand chunks of the claim that stands. So its owner
 * needs the weights, not only their hashes.
 */
import { asBytes, type Bytes, toHex } from "../encoding/bytes.ts";
import { Tag } from "../encoding/tags.ts";
import { buildLevels, climb, hashLeaf, merkleRoot, proveLeaf, type Proof, type TreeRoot } from "../encoding/merkle.ts";
import {
  CHUNK_BYTES,
  chunkAt,
  chunkCount,
  chunkTree,
  elementCount,
  encodeType,
  type StateRoot,
  stateRootOf,
  stateTree,
  type Tensor,
  tensorRoot,
  tensorRootOf,
  type TensorType,
} from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import type { JobId } from "../job/closed.ts";
import { type RunRoot, runRootOfTree, segmentCount } from "../trace/commitments.ts";
import type { OpenDemand, Terms } from "./task.ts";
import type { ContractCall } from "./transactions/caller.ts";

/** The place of a chunk in a run. */
export interface ChunkPlace {
  job: JobId;
  steps: number;
  commitEvery: number;
  /** Number of entries of the state. */
  tensors: number;
  /** Index of the entry. */
  tensor: number;
  /** Index of the chunk within the entry. */
  chunk: number;
}

/** A chunk, with its proof up to the run root. */
export interface ChunkProof {
  /** The elements, 4 bytes each, little-endian. */
  chunk: Bytes;
  chunkPath: Proof;
  statePath: Proof;
  segmentPath: Proof;
}

/** The root of a state's layout, which binds the type of each entry by its position. */
export function layoutRoot(types: readonly TensorType[]): TreeRoot {
  return merkleRoot(types.map(layoutLeaf));
}

/** The siblings of entry `tensor` in the layout, from the leaf up. */
export function proveType(types: readonly TensorType[], tensor: number): Proof {
  return proveLeaf(buildLevels(types.map(layoutLeaf)), tensor);
}

function layoutLeaf(type: TensorType): Bytes {
  return hashLeaf(Tag.layoutLeaf, encodeType(type));
}

/**
 * The proof of a chunk of the final state.
 * @param segmentRoots the roots of the initial state and of the state after each segment
 * @param state the final state, entries in their order
 * @throws {FormatError} when there is no such entry, or no such chunk
 */
export function proveChunk(
  segmentRoots: readonly StateRoot[],
  state: readonly Tensor[],
  tensor: number,
  chunk: number,
): ChunkProof {
  const statePath = proveLeaf(stateTree(state.map(tensorRoot)), tensor);
  const count = chunkCount(state[tensor]);
  if (chunk >= count)
    throw new FormatError(
      "INDEX",
      `entry ${tensor} of the state has ${count} chunks, so there is no chunk ${chunk}; they are counted from 0`,
      {
        tensor,
        chunk,
        count,
      },
    );
  const bytes = asBytes(state[tensor].data);
  const segments = buildLevels(segmentRoots.map((root) => hashLeaf(Tag.segmentLeaf, root)));
  return {
    chunk: chunkAt(bytes, chunk),
    chunkPath: proveLeaf(chunkTree(bytes), chunk),
    statePath,
    segmentPath: proveLeaf(segments, segmentRoots.length - 1),
  };
}

/**
 * The run root that a chunk leads to, or `undefined` if the place does not exist or the proof does not fit
 * it.
 */
export function runRootFromChunk(place: ChunkPlace, type: TensorType, proof: ChunkProof): RunRoot | undefined {
  const { job, steps, commitEvery, tensors, tensor, chunk } = place;
  const length = Math.min(CHUNK_BYTES, 4 * elementCount(type.shape) - chunk * CHUNK_BYTES);
  if (proof.chunk.length !== length) return undefined;
  const chunks = climb(hashLeaf(Tag.chunk, proof.chunk), chunkCount(type), chunk, proof.chunkPath);
  if (!chunks) return undefined;
  const state = climb(hashLeaf(Tag.stateLeaf, tensorRootOf(type, chunks)), tensors, tensor, proof.statePath);
  if (!state) return undefined;
  const segments = segmentCount(steps, commitEvery);
  const leaf = hashLeaf(Tag.segmentLeaf, stateRootOf(tensors, state));
  const tree = climb(leaf, segments, segments - 1, proof.segmentPath);
  return tree && runRootOfTree(job, commitEvery, tree);
}

/**
 * The call that delivers a demanded chunk.
 * @param segmentRoots the roots of the initial state and of the state after each segment
 * @param state the final state, entries in their order
 * @throws {FormatError} when the state has no such chunk
 */
export function deliverCall(
  terms: Terms,
  segmentRoots: readonly StateRoot[],
  state: readonly Tensor[],
  { index, demand }: OpenDemand,
): ContractCall {
  const { chunk, ...paths } = proveChunk(segmentRoots, state, demand.tensor, demand.chunk);
  const hexes = Object.fromEntries(Object.entries(paths).map(([name, hashes]) => [name, hashes.map(toHex)]));
  const args = [terms, BigInt(index), demand, { chunk: toHex(chunk), ...hexes }];
  return { contract: "manager", functionName: "deliver", args };
}
