/** Proofs in the contract's form: for several leaves of one tree at once. */
import { type Bytes } from "../../encoding/bytes.ts";
import { heightOf } from "../../encoding/merkle.ts";
import type { ProvenLeaf } from "../../game/moved-proof.ts";

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
