import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type Bytes, bytesEqual } from "./bytes.ts";
import { type Digest, taggedHash } from "./hash.ts";
import { Tag } from "./tags.ts";

/**
 * Merkle trees of the commitments (spec 6.3). Pairs are ordered; leaves and nodes have tags. An odd node is
 * promoted unchanged to the level above, and never duplicated. The path to a leaf binds its place, so a proof
 * is valid for one index and one number of leaves. The root of the tree over no leaves is the hash of an
 * empty node.
 */
export type TreeRoot = Digest<"tree">;

/** An inner node: the hash of its two children in their order. */
export function hashNode(left: Bytes, right: Bytes): TreeRoot {
  return taggedHash(Tag.node, left, right);
}

/** A leaf: the hash of a payload under the tag of its kind. */
export function hashLeaf(tag: Tag, payload: Bytes): Digest<"leaf"> {
  return taggedHash(tag, payload);
}

/** All levels of a tree, leaves first. The last level holds only the root. */
export type Levels = readonly (readonly Bytes[])[];

/** The tree over leaves. A tree over nothing has a root of its own. */
export function buildLevels(leaves: readonly Bytes[]): Levels {
  if (leaves.length === 0) return [[taggedHash(Tag.node)]];
  const levels: Bytes[][] = [[...leaves]];
  for (let below = levels[0]; below.length > 1; below = levels[levels.length - 1]) {
    const level: Bytes[] = [];
    for (let i = 0; i + 1 < below.length; i += 2) level.push(hashNode(below[i], below[i + 1]));
    if (below.length % 2 === 1) level.push(below[below.length - 1]);
    levels.push(level);
  }
  return levels;
}

/** The root of a tree whose levels are known. */
export function rootOf(levels: Levels): TreeRoot {
  return levels[levels.length - 1][0] as TreeRoot;
}

/** The root of a tree over leaves. */
export function merkleRoot(leaves: readonly Bytes[]): TreeRoot {
  return rootOf(buildLevels(leaves));
}

/** The most leaves of a tree: indices of leaves and nodes stay exact in 32-bit integers. */
const MAX_LEAVES = 2 ** 31;

/** @throws {FormatError} when no tree has so many leaves */
export function checkLeafCount(count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > MAX_LEAVES)
    throw new FormatError("RANGE", `a tree of ${quote(count)} leaves is not possible; it has 0 to ${MAX_LEAVES}`, {
      found: count,
    });
}

/**
 * The number of nodes at `level` of a tree over `leaves` leaves (level 0: the leaves).
 * @throws {FormatError} when no tree has so many leaves
 */
export function widthAt(leaves: number, level: number): number {
  checkLeafCount(leaves);
  let width = leaves;
  for (let i = 0; i < level; i++) width = Math.ceil(width / 2);
  return width;
}

/** The number of levels above the leaves. @throws {FormatError} when no tree has so many leaves */
export function heightOf(leaves: number): number {
  checkLeafCount(leaves);
  let height = 0;
  for (let width = leaves; width > 1; width = Math.ceil(width / 2)) height++;
  return height;
}

/** The siblings from the leaf upwards; a promoted node has no sibling at its level. */
export type Proof = readonly Bytes[];

function expectLeaf(count: number, index: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count)
    throw new FormatError(
      "INDEX",
      `leaf ${index} of a tree with ${count} leaves does not exist; leaves are counted from 0`,
      { index, count },
    );
}

/**
 * The siblings of a leaf on the way to the root, lowest first.
 * @throws {FormatError} when there is no such leaf
 */
export function proveLeaf(levels: Levels, index: number): Proof {
  expectLeaf(levels[0].length, index);
  const proof: Bytes[] = [];
  for (let level = 0, at = index; level + 1 < levels.length; level++, at >>= 1) {
    const sibling = levels[level][at ^ 1];
    if (sibling) proof.push(sibling);
  }
  return proof;
}

/** One step of the path from a leaf to the root, in the order of the proof. */
export interface ProofStep {
  side: "left" | "right";
  sibling: Bytes;
}

/** Pairs each sibling with its side; `undefined` when the proof has the wrong length for the place. */
export function proofSteps(count: number, index: number, proof: Proof): ProofStep[] | undefined {
  if (!Number.isInteger(index) || index < 0 || index >= count) return undefined;
  if (!Number.isInteger(count) || count > MAX_LEAVES) return undefined;
  const steps: ProofStep[] = [];
  let used = 0;
  for (let width = count, at = index; width > 1; width = Math.ceil(width / 2), at >>= 1) {
    if ((at ^ 1) >= width) continue;
    const sibling = proof[used++];
    if (sibling === undefined || sibling.length !== 32) return undefined;
    steps.push({ side: at % 2 === 1 ? "left" : "right", sibling });
  }
  return used === proof.length ? steps : undefined;
}

/**
 * The root that a leaf and its proof lead to, or `undefined` when the proof has the wrong length for the
 * place.
 */
export function climb(leaf: Bytes, count: number, index: number, proof: Proof): TreeRoot | undefined {
  const steps = proofSteps(count, index, proof);
  if (!steps) return undefined;
  let hash = leaf;
  for (const { side, sibling } of steps) hash = side === "left" ? hashNode(sibling, hash) : hashNode(hash, sibling);
  return hash as TreeRoot;
}

/**
 * The root that a leaf and its proof lead to, from what the leaf commits to.
 * @returns `undefined` when the proof has the wrong length for the place
 */
export type ClimbLeaf = (tag: Tag, payload: Bytes, count: number, index: number, proof: Proof) => TreeRoot | undefined;

/** The default: this file's implementation, and no other. */
export const climbLeaf: ClimbLeaf = (tag, payload, count, index, proof) =>
  climb(hashLeaf(tag, payload), count, index, proof);

/** Whether a leaf is at `index` of `count` leaves below a root. */
export function verifyLeaf(root: Bytes, leaf: Bytes, count: number, index: number, proof: Proof): boolean {
  const reached = climb(leaf, count, index, proof);
  return reached !== undefined && bytesEqual(reached, root);
}

/**
 * For each level below the root: the positions on the way from the leaves to the root, and those of their
 * siblings that are not on the way themselves.
 */
function* waysUp(count: number, indices: readonly number[]): Generator<{ level: number; missing: number[] }> {
  let on = [...indices];
  for (let width = count, level = 0; width > 1; width = Math.ceil(width / 2), level++) {
    const known = new Set(on);
    const missing = on.map((at) => at ^ 1).filter((at) => at < width && !known.has(at));
    yield { level, missing };
    on = [...new Set(on.map((at) => at >> 1))];
  }
}

/** The number of hashes that `proveLeaves` gives. */
export function leavesProofLength(count: number, indices: readonly number[]): number {
  let length = 0;
  for (const { missing } of waysUp(count, indices)) length += missing.length;
  return length;
}

/**
 * One proof for several leaves: the hashes that the leaves do not give themselves, lowest level first, each
 * level from the left. Leaves that stand together need only the siblings at both ends of their row.
 * @param indices ascending, each once, at least one
 * @throws {FormatError} when there is no such leaf
 */
export function proveLeaves(levels: Levels, indices: readonly number[]): Proof {
  for (const index of indices) expectLeaf(levels[0].length, index);
  return [...waysUp(levels[0].length, indices)].flatMap(({ level, missing }) => missing.map((at) => levels[level][at]));
}

/**
 * The root that several leaves and their proof lead to.
 * @param indices as for `proveLeaves`
 * @returns `undefined` when the proof has the wrong length for the places
 */
export function climbLeaves(
  leaves: readonly Bytes[],
  count: number,
  indices: readonly number[],
  proof: Proof,
): TreeRoot | undefined {
  if (leaves.length !== indices.length || leaves.length === 0 || indices.some((at) => !(at >= 0 && at < count)))
    return undefined;
  let nodes = new Map(indices.map((at, i) => [at, leaves[i]]));
  let used = 0;
  for (const { missing } of waysUp(count, indices)) {
    for (const at of missing) {
      const hash = proof[used++];
      if (hash === undefined || hash.length !== 32) return undefined;
      nodes.set(at, hash);
    }
    const above = new Map<number, Bytes>();
    for (const at of nodes.keys()) {
      const [left, right] = [nodes.get(at & ~1)!, nodes.get(at | 1)];
      if (!above.has(at >> 1)) above.set(at >> 1, right ? hashNode(left, right) : left);
    }
    nodes = above;
  }
  return used === proof.length ? (nodes.get(0) as TreeRoot) : undefined;
}

/**
 * The root of a tree whose leaves are given one after the other, in memory that grows with the tree's height.
 */
export class GrowingTree {
  /** The roots of whole trees, from the left; their sizes are the bits of `count`. */
  private readonly peaks: Bytes[] = [];
  private count = 0;

  add(leaf: Bytes): void {
    let node = leaf;
    for (let rest = this.count++; rest % 2 === 1; rest = Math.floor(rest / 2)) node = hashNode(this.peaks.pop()!, node);
    this.peaks.push(node);
  }

  root(): TreeRoot {
    if (this.count === 0) return merkleRoot([]);
    return this.peaks.reduceRight((right, left) => hashNode(left, right)) as TreeRoot;
  }
}
