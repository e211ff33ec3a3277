/** Proofs as the contract takes them: of several leaves of one tree at once, and in the tree of side 0. */
import { type Bytes } from "../../encoding/bytes.ts";
import { hashLeaf, hashNode, type Proof } from "../../encoding/merkle.ts";
import type { Passed } from "../../referee/level.ts";

export interface ProvenLeaf {
  readonly index: number;
  readonly proof: Proof;
}

/**
 * The siblings that lead several leaves of one tree to its root and do not follow from the leaves: level by level from
 * below, and from left to right (contracts/game/Tape.sol). A leaf that is named twice counts once.
 */
export function sharedProof(count: number, leaves: readonly ProvenLeaf[]): Bytes[] {
  const distinct = [...new Map(leaves.map((leaf) => [leaf.index, leaf])).values()];
  let nodes = distinct.toSorted((a, b) => a.index - b.index).map(({ index, proof }) => ({ index, used: 0, proof }));
  const shared: Bytes[] = [];
  for (let width = count; width > 1; width = Math.ceil(width / 2)) {
    const above: typeof nodes = [];
    for (let i = 0; i < nodes.length; i++) {
      const { index, used, proof } = nodes[i];
      const hasSibling = (index ^ 1) < width;
      if (hasSibling && nodes[i + 1]?.index === index + 1 && index % 2 === 0) i++;
      else if (hasSibling) shared.push(proof[used]);
      above.push({ index: index >> 1, used: used + (hasSibling ? 1 : 0), proof });
    }
    nodes = above;
  }
  return shared;
}

/**
 * The proof, in side 0's tree, of a leaf to the left of the divergent one, from its proof in the tree of either side: what
 * lies to the left is equal in both, and what lies on the way to the divergent leaf, and right of it, side 0 has shown.
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
