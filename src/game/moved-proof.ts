/** Moves the proof of an agreed leaf from the tree of one side into the tree of the other (spec 7.7). */
import type { Bytes } from "../encoding/bytes.ts";
import { hashLeaf, hashNode, type Proof } from "../encoding/merkle.ts";
import type { Passed, Side } from "./level.ts";

/** A leaf of a tree, and the proof that leads it to the root. */
export interface ProvenLeaf {
  readonly index: number;
  readonly proof: Proof;
}

/**
 * The proof in the tree of `side` of a leaf to the left of the divergent one, made from its proof in the tree
 * of either side. Nodes to the left of the divergent leaf are equal in both trees. Nodes on the way to it and
 * to the right of it were shown by `side` itself.
 */
export function proofInTreeOf(
  side: Side,
  { level, index: divergent, payloads, proofs }: Pick<Passed, "level" | "index" | "payloads" | "proofs">,
  { index, proof }: ProvenLeaf,
): Bytes[] {
  const moved: Bytes[] = [];
  let [node, used, shown] = [hashLeaf(level.tag, payloads[side]) as Bytes, 0, 0];
  let [at, path] = [index, divergent];
  for (let width = level.count; width > 1; width = Math.ceil(width / 2)) {
    const beside = (path ^ 1) < width ? proofs[side][shown++] : undefined;
    if ((at ^ 1) < width) {
      const own = proof[used++];
      moved.push(at === path ? beside! : (at ^ 1) === path ? node : own);
    }
    if (beside) node = path % 2 === 1 ? hashNode(beside, node) : hashNode(node, beside);
    [at, path] = [at >> 1, path >> 1];
  }
  return moved;
}
