/** The siblings of one leaf, from leaves that are given one after the other. */
import type { Bytes } from "../../encoding/bytes.ts";
import { GrowingTree, type Proof } from "../../encoding/merkle.ts";

/**
 * Collects the path of a leaf in memory that grows with the tree's height. Every other leaf is below exactly
 * one sibling of the path: that of the highest bit in which the two indices differ.
 */
export class GrowingPath {
  private readonly index: number;
  private readonly siblings: GrowingTree[] = [];
  private count = 0;

  /** @param index of the leaf whose path is wanted, below 2^31 */
  constructor(index: number) {
    this.index = index;
  }

  add(leaf: Bytes): void {
    const differs = this.count++ ^ this.index;
    if (differs !== 0) (this.siblings[31 - Math.clz32(differs)] ??= new GrowingTree()).add(leaf);
  }

  /** The siblings, lowest first. A level at which the node is promoted has none. */
  proof(): Proof {
    return this.siblings.filter((tree) => tree !== undefined).map((tree) => tree.root());
  }
}
