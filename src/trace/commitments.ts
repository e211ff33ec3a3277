/** What a run commits to above its tensors (spec 6.7). */
import { Writer } from "../encoding/bytes.ts";
import { type Digest, taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import { hashLeaf, merkleRoot, type TreeRoot } from "../encoding/merkle.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import type { JobId } from "../job/closed.ts";

/** The claim of a run: the root of its whole trace (spec 6.7). */
export type RunRoot = Digest<"run">;

/** The number of leaves of the segment tree: one for the initial state, and one for each segment. */
export function segmentCount(steps: number, commitEvery: number): number {
  return 1 + Math.ceil(steps / commitEvery);
}

/** The training steps of a segment, both ends included. */
export function stepsOfSegment(segment: number, steps: number, commitEvery: number): { first: number; last: number } {
  if (segment === 0) return { first: 0, last: 0 };
  return { first: (segment - 1) * commitEvery + 1, last: Math.min(segment * commitEvery, steps) };
}

/** Whether the state after a training step is a leaf of the segment tree. */
export function isCommitted(step: number, steps: number, commitEvery: number): boolean {
  return step % commitEvery === 0 || step === steps;
}

/** Whether the state after a training step is a checkpoint of the run. */
export function isCheckpoint(step: number, steps: number, checkpointEvery: number): boolean {
  return step === 0 || step === steps || (checkpointEvery > 0 && step < steps && step % checkpointEvery === 0);
}

function segmentTree(roots: readonly StateRoot[]): TreeRoot {
  return merkleRoot(roots.map((root) => hashLeaf(Tag.segmentLeaf, root)));
}

/** @param roots the roots of the initial state and of the state after each segment */
export function runRootOf(job: JobId, commitEvery: number, roots: readonly StateRoot[]): RunRoot {
  return runRootOfTree(job, commitEvery, segmentTree(roots));
}

export function runRootOfTree(job: JobId, commitEvery: number, tree: TreeRoot): RunRoot {
  return taggedHash(Tag.run, job, new Writer().u32(commitEvery).finish(), tree);
}
