/**
 * Merkle trees over more leaves than should be in memory. Only the upper levels are kept; the lower ones are
 * made again from the payloads when they are asked for.
 */
import type { Bytes } from "./bytes.ts";
import { buildLevels, hashLeaf, type Levels, type Proof, type TreeRoot } from "./merkle.ts";
import type { Tag } from "./tags.ts";

/** A list that need not be in memory. An array is one. */
export interface LongList<T> {
  readonly length: number;
  /** The items from one index up to, but without, another. Indices are not negative. */
  slice(from: number, to: number): readonly T[] | Promise<readonly T[]>;
}

/** The item at an index that the list has. */
export async function itemAt<T>(list: LongList<T>, index: number): Promise<T> {
  return (await list.slice(index, index + 1))[0];
}

/** A block of leaves has 2^10: they are read and hashed together. */
const BLOCK_HEIGHT = 10;
const BLOCK = 2 ** BLOCK_HEIGHT;

/** A tree over payloads (spec 6.3), the same as `buildLevels` gives over their leaves. */
export class LongTree {
  private readonly payloads: LongList<Bytes>;
  private readonly tag: Tag;
  /** The levels from that of the blocks' roots up. */
  private readonly upper: Levels;
  /** The block that was asked for last. */
  private recent: { number: number; levels: Levels };

  private constructor(payloads: LongList<Bytes>, tag: Tag, upper: Levels, last: { number: number; levels: Levels }) {
    this.payloads = payloads;
    this.tag = tag;
    this.upper = upper;
    this.recent = last;
  }

  static async over(payloads: LongList<Bytes>, tag: Tag): Promise<LongTree> {
    const roots: Bytes[] = [];
    let last: { number: number; levels: Levels } | undefined;
    for (let number = 0; number === 0 || number * BLOCK < payloads.length; number++) {
      last = { number, levels: await levelsOf(payloads, tag, number) };
      roots.push(last.levels.at(-1)![0]);
    }
    return new LongTree(payloads, tag, buildLevels(roots), last!);
  }

  get root(): TreeRoot {
    return this.upper[this.upper.length - 1][0] as TreeRoot;
  }

  /** The one or two nodes below a node. @param height of the node, 1 or more */
  async children(height: number, position: number): Promise<readonly Bytes[]> {
    const below = height - 1;
    if (below >= BLOCK_HEIGHT) return (this.upper[below - BLOCK_HEIGHT] ?? []).slice(2 * position, 2 * position + 2);
    // Both are in one block, since the node is.
    const inBlock = 2 ** (BLOCK_HEIGHT - below);
    const number = Math.floor((2 * position) / inBlock);
    const levels = await this.block(number);
    const first = 2 * position - number * inBlock;
    return levels[Math.min(below, levels.length - 1)].slice(first, first + 2);
  }

  /** The siblings of a leaf on the way to the root, lowest first. The list has such a leaf. */
  async prove(index: number): Promise<Proof> {
    const number = Math.floor(index / BLOCK);
    const within = siblings(await this.block(number), index % BLOCK);
    return [...within, ...siblings(this.upper, number)];
  }

  private async block(number: number): Promise<Levels> {
    if (this.recent.number !== number)
      this.recent = { number, levels: await levelsOf(this.payloads, this.tag, number) };
    return this.recent.levels;
  }
}

function siblings(levels: Levels, index: number): Bytes[] {
  const found: Bytes[] = [];
  for (let level = 0, at = index; level + 1 < levels.length; level++, at = Math.floor(at / 2)) {
    const sibling = levels[level][at % 2 === 0 ? at + 1 : at - 1];
    if (sibling) found.push(sibling);
  }
  return found;
}

async function levelsOf(payloads: LongList<Bytes>, tag: Tag, number: number): Promise<Levels> {
  const block = await payloads.slice(number * BLOCK, Math.min((number + 1) * BLOCK, payloads.length));
  return buildLevels(block.map((payload) => hashLeaf(tag, payload)));
}
