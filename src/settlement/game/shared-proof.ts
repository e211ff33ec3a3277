/** Proofs in the contract's form: for several leaves of one tree at once, and in the tree of side 0. */
import { type Bytes } from "../../encoding/bytes.ts";
import { hashLeaf, hashNode, heightOf, type Proof } from "../../encoding/merkle.ts";
import type { Passed } from "../../game/level.ts";

export interface ProvenLeaf {
  readonly index: number;
  readonly proof: Proof;
}

/**
 * The siblings that lead several leaves of one tree to its root and do not follow from the leaves. For each
 * node: first those that are needed below its left half, then those below its right half, then the half that
 * is missing (contracts/training/Tape.sol). A leaf that is given twice counts once.
 */
export function sharedProof(count: number, leaves: readonly ProvenLeaf[]): Bytes[] {
  const distinct = [...new Map(leaves.map((leaf) => [leaf.index, leaf])).values()];
  const shared: Bytes[] = [];
  /** Adds the siblings that are needed below the node at `height` that is above the leaves `below`. */
  const descend = (height: number, below: readonly ProvenLeaf[]): void => {
    if (height === 0) return;
    const half = 2 ** (height - 1);
    const halves = [0, 1].map((side) => below.filter(({ index }) => Math.floor(index / half) % 2 === side));
    for (const part of halves) if (part.length > 0) descend(height - 1, part);
    const [known] = below;
    const sibling = Math.floor(known.index / half) ^ 1;
    if (halves.every((part) => part.length > 0) || sibling * half >= count) return;
    shared.push(known.proof[siblingsBelow(count, known.index, height - 1)]);
  };
  if (distinct.length > 0) descend(heightOf(count), distinct);
  return shared;
}

/** How many of the nodes on the way from a leaf up to a height have a sibling. */
function siblingsBelow(count: number, index: number, height: number): number {
  let siblings = 0;
  for (let level = 0; level < height; level++)
    if ((Math.floor(index / 2 ** level) ^ 1) * 2 ** level < count) siblings++;
  return siblings;
}

/**
 * The proof in side 0's tree of a leaf to the left of the divergent one, made from its proof in the tree of
 * either side. Nodes to the left are equal in both trees. Nodes on the way to the divergent leaf and to the
 * right of it were shown by side 0.
 */
export function proofInFirstTree(
  { level, index: divergent, payloads, proofs }: Passed,
  { index, proof }: ProvenLeaf,
): Bytes[] {
  const first: Bytes[] = [];
  let [node, used, shown] = [hashLeaf(level.tag, payloads[0]) as Bytes, 0, 0];
  let [at, path] = [index, divergent];
  for (let width = level.count; width > 1; width = Math.ceil(width / 2)) {
    const beside = (path ^ 1) < width ? proofs[0][shown++] : undefined;
    if ((at ^ 1) < width) {
      const own = proof[used++];
      first.push(at === path ? beside! : (at ^ 1) === path ? node : own);
    }
    if (beside) node = path % 2 === 1 ? hashNode(beside, node) : hashNode(node, beside);
    [at, path] = [at >> 1, path >> 1];
  }
  return first;
}
