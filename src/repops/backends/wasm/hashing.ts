/** Roots of the tensors of a session, whose chunks are hashed by several threads. */
import type { TreeRoot } from "../../../encoding/merkle.ts";
import { type Calls, freeCallBytes } from "./calls.ts";
import { type Dealing, hashPieces } from "./dealing.ts";
import { spans } from "./pieces.ts";
import { type Hash4, HASH_WORDS, treeRoot, treeScratchBytes } from "./sha256.ts";
import type { Team } from "./team.ts";

export class Hashing {
  private readonly threads: number;
  private readonly dealing: Dealing;
  private readonly bytes: number;
  private memory!: WebAssembly.Memory;
  private hash4!: Hash4;
  private calls = 0;
  private scratch = 0;

  /** @param bytes of the largest tensor */
  constructor(threads: number, dealing: Dealing, bytes: number) {
    this.threads = threads;
    this.dealing = dealing;
    this.bytes = bytes;
  }

  /** @param take takes memory, and gives its address */
  place(take: (bytes: number) => number): void {
    this.calls = take(freeCallBytes(hashPieces(Infinity, this.threads, this.dealing), HASH_WORDS.length));
    this.scratch = take(treeScratchBytes(this.bytes));
  }

  open(memory: WebAssembly.Memory, calls: Calls, team: Team): void {
    const first = this.calls / 4;
    this.memory = memory;
    this.hash4 = (source, blocks, tag, target, groups) => {
      if (groups === 0) return undefined;
      // A message has a block more than its data.
      const pieces = spans(groups, hashPieces(4 * 64 * (blocks + 1) * groups, this.threads, this.dealing), 1);
      const words = pieces.map(([from, to]) => [
        source + 256 * blocks * from,
        blocks,
        tag,
        target + 128 * from,
        to - from,
      ]);
      calls.writeHashes(first, words);
      return team.run(first, words.length, words.length > 1);
    };
  }

  /**
   * The root of the chunk tree over bytes.
   * @param address in the session's memory
   */
  rootOf(address: number, byteLength: number): Promise<TreeRoot> {
    return treeRoot(this.hash4, this.memory, address, byteLength, this.scratch);
  }
}
