/**
 * Merkle trees over more leaves than should be in memory. Only the upper levels are kept, and some blocks of
 * the lower ones; the others are made again from the payloads when they are asked for.
 */
import type { Bytes } from "./bytes.ts";
import { buildLevels, hashLeaf, type Levels, type Proof, type TreeRoot, widthAt } from "./merkle.ts";
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
/**
 * The blocks that a tree keeps unless said otherwise, in 4 MiB: all of a tree with up to 65,536 leaves, such
 * as that of 4M elements.
 */
const KEPT_BLOCKS = 64;

/** A tree over payloads (spec 6.3), the same as `buildLevels` gives over their leaves. */
export class LongTree {
  private readonly payloads: LongList<Bytes>;
  private readonly tag: Tag;
  /** The levels from that of the blocks' roots up. */
  private readonly upper: Levels;
  private readonly blocks: KeptBlocks;

  private constructor(payloads: LongList<Bytes>, tag: Tag, upper: Levels, blocks: KeptBlocks) {
    this.payloads = payloads;
    this.tag = tag;
    this.upper = upper;
    this.blocks = blocks;
  }

  /** @param most the number of blocks that are kept, 64 KiB each; 1 or more */
  static async over(payloads: LongList<Bytes>, tag: Tag, most = KEPT_BLOCKS): Promise<LongTree> {
    const roots: Bytes[] = [];
    const blocks = new KeptBlocks(most);
    for (let number = 0; number === 0 || number * BLOCK < payloads.length; number++) {
      const block = await blockOf(payloads, tag, number);
      roots.push(block.root);
      blocks.keep(number, block);
    }
    return new LongTree(payloads, tag, buildLevels(roots), blocks);
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
    const block = await this.block(number);
    const first = 2 * position - number * inBlock;
    return [first, first + 1].flatMap((at) => block.node(Math.min(below, block.height), at) ?? []);
  }

  /**
   * Nodes of one level, from one position up to, but without, another; fewer where the level ends.
   * @param height of the level, 0 for the leaves
   */
  async row(height: number, from: number, to: number): Promise<Bytes[]> {
    if (height >= BLOCK_HEIGHT) return (this.upper[height - BLOCK_HEIGHT] ?? []).slice(from, to);
    const end = Math.min(to, widthAt(this.payloads.length, height));
    const inBlock = 2 ** (BLOCK_HEIGHT - height);
    const nodes: Bytes[] = [];
    for (let at = from; at < end; at++) {
      const block = await this.block(Math.floor(at / inBlock));
      // The last block may be lower: then its root is promoted.
      nodes.push(block.node(Math.min(height, block.height), at % inBlock)!);
    }
    return nodes;
  }

  /** The siblings of a leaf on the way to the root, lowest first. The list has such a leaf. */
  async prove(index: number): Promise<Proof> {
    const number = Math.floor(index / BLOCK);
    const block = await this.block(number);
    const within = siblings(block.height, index % BLOCK, (level, at) => block.node(level, at));
    return [...within, ...siblings(this.upper.length - 1, number, (level, at) => this.upper[level][at])];
  }

  private async block(number: number): Promise<Block> {
    let block = this.blocks.get(number);
    if (!block) this.blocks.keep(number, (block = await blockOf(this.payloads, this.tag, number)));
    return block;
  }
}

/**
 * The nodes of one block in one stretch of memory, because as objects they would take several times as much.
 */
class Block {
  /** The number of levels above the leaves. */
  readonly height: number;
  private readonly nodes: Bytes;
  /** Where each level begins, in nodes; and the end. */
  private readonly starts: number[] = [0];

  constructor(levels: Levels) {
    this.height = levels.length - 1;
    for (const [level, { length }] of levels.entries()) this.starts.push(this.starts[level] + length);
    this.nodes = new Uint8Array(32 * this.starts[levels.length]);
    for (const [i, node] of levels.flat().entries()) this.nodes.set(node, 32 * i);
  }

  get root(): Bytes {
    return this.node(this.height, 0)!;
  }

  /** @returns a copy, which does not keep the block in memory */
  node(level: number, at: number): Bytes | undefined {
    const index = this.starts[level] + at;
    return index < this.starts[level + 1] ? this.nodes.slice(32 * index, 32 * index + 32) : undefined;
  }
}

/** Blocks by their numbers; the one that was made first is dropped first. */
class KeptBlocks {
  private readonly most: number;
  private readonly blocks = new Map<number, Block>();

  constructor(most: number) {
    this.most = most;
  }

  get(number: number): Block | undefined {
    return this.blocks.get(number);
  }

  keep(number: number, block: Block): void {
    if (this.blocks.size >= this.most) this.blocks.delete(this.blocks.keys().next().value!);
    this.blocks.set(number, block);
  }
}

function siblings(height: number, index: number, node: (level: number, at: number) => Bytes | undefined): Bytes[] {
  const found: Bytes[] = [];
  for (let level = 0, at = index; level < height; level++, at = Math.floor(at / 2)) {
    const sibling = node(level, at % 2 === 0 ? at + 1 : at - 1);
    if (sibling) found.push(sibling);
  }
  return found;
}

async function blockOf(payloads: LongList<Bytes>, tag: Tag, number: number): Promise<Block> {
  const block = await payloads.slice(number * BLOCK, Math.min((number + 1) * BLOCK, payloads.length));
  return new Block(buildLevels(block.map((payload) => hashLeaf(tag, payload))));
}
