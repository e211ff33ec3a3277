/** Merkle trees with any number of leaves, of which all but a few are equal: nothing grows with the count. */
import type { Bytes } from "../../src/encoding/bytes.ts";
import { hashNode, heightOf, type Levels, type TreeRoot, widthAt } from "../../src/encoding/merkle.ts";

export class SparseTree {
  private readonly count: number;
  private readonly common: Bytes;
  private readonly special: ReadonlyMap<number, Bytes>;
  private readonly nodes = new Map<string, Bytes>();

  /** @param special the leaves that differ from the common one, by their indices */
  constructor(count: number, common: Bytes, special: ReadonlyMap<number, Bytes> = new Map()) {
    this.count = count;
    this.common = common;
    this.special = special;
  }

  node(height: number, position: number): Bytes {
    if (height === 0) return this.special.get(position) ?? this.common;
    const size = 2 ** height;
    const [from, to] = [position * size, Math.min((position + 1) * size, this.count)];
    const plain = [...this.special.keys()].every((index) => index < from || index >= to);
    const key = plain ? `${height}: ${to - from}` : `${height}, ${position}`;
    const known = this.nodes.get(key);
    if (known) return known;
    const left = this.node(height - 1, 2 * position);
    const isPromoted = 2 * position + 1 >= widthAt(this.count, height - 1);
    const made = isPromoted ? left : hashNode(left, this.node(height - 1, 2 * position + 1));
    this.nodes.set(key, made);
    return made;
  }

  get root(): TreeRoot {
    return this.node(heightOf(this.count), 0) as TreeRoot;
  }

  children(height: number, position: number): [Bytes, Bytes] {
    return [this.node(height - 1, 2 * position), this.node(height - 1, 2 * position + 1)];
  }

  prove(index: number): Bytes[] {
    const proof: Bytes[] = [];
    for (let height = 0, at = index; height < heightOf(this.count); height++, at = Math.floor(at / 2)) {
      const sibling = at % 2 === 0 ? at + 1 : at - 1;
      if (sibling < widthAt(this.count, height)) proof.push(this.node(height, sibling));
    }
    return proof;
  }

  /** The same tree for code that has all its levels. */
  levels(): Levels {
    return Array.from({ length: heightOf(this.count) + 1 }, (_, height) => {
      const width = widthAt(this.count, height);
      return new Proxy<Bytes[]>([], {
        get: (_target, key) =>
          key === "length" ? width : Number(key) < width ? this.node(height, Number(key)) : undefined,
      });
    });
  }
}
