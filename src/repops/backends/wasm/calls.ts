/** The calls of a session in its memory: a table, and the words that each call is given. */
import { loopKey } from "../../schedule/loop-shape.ts";
import { CALL_WORDS } from "./control.ts";
import { loopName } from "./modules.ts";
import type { Piece } from "./pieces.ts";
import { type SessionAddresses, wordCount, wordsOf } from "./words.ts";

/** The functions of the core module, whose numbers are their places here; loops follow. */
const CORE = ["multiply", "gatherRows", "scatterAdd", "hash4"] as const;
const HASH = CORE.indexOf("hash4");

/** The functions by their numbers. */
export function functionNames(loops: number): string[] {
  return [...CORE, ...Array.from({ length: loops }, (_, i) => loopName(i))];
}

/** The bytes of the table and the words of all pieces. */
export function callBytes(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + 4 * (CALL_WORDS + wordCount(piece)), 0);
}

/** The bytes of `count` calls with `words` words each, which are written anew for each fork. */
export const freeCallBytes = (count: number, words: number): number => 4 * count * (CALL_WORDS + words);

export class Calls {
  private readonly words: Int32Array;
  private readonly addresses: SessionAddresses;
  private readonly loops: ReadonlyMap<string, number>;
  /** The next free word. */
  private at: number;

  /**
   * @param address of the calls, in bytes
   * @param loops the keys of the loops' shapes, in the order of their functions
   */
  constructor(memory: WebAssembly.Memory, address: number, loops: readonly string[], addresses: SessionAddresses) {
    this.words = new Int32Array(memory.buffer);
    this.at = address / 4;
    this.loops = new Map(loops.map((key, i) => [key, CORE.length + i]));
    this.addresses = addresses;
  }

  /**
   * Adds the calls of a kernel, one after the other.
   * @returns the word at which the first begins
   */
  add(pieces: readonly Piece[], output: number): number {
    const first = this.at;
    this.at += CALL_WORDS * pieces.length;
    pieces.forEach((piece, i) => {
      const values = wordsOf(piece, output, this.addresses);
      this.words.set([this.functionOf(piece), 4 * this.at], first + CALL_WORDS * i);
      this.words.set(values, this.at);
      this.at += values.length;
    });
    return first;
  }

  /**
   * Writes calls of `hash4` at a place that is not used otherwise.
   * @param first the word at which the first begins
   * @param calls the words of each
   */
  writeHashes(first: number, calls: readonly (readonly number[])[]): void {
    let at = first + CALL_WORDS * calls.length;
    calls.forEach((values, i) => {
      this.words.set([HASH, 4 * at], first + CALL_WORDS * i);
      this.words.set(values, at);
      at += values.length;
    });
  }

  /** What calls have returned. */
  results(first: number, count: number): number[] {
    return Array.from({ length: count }, (_, i) => this.words[first + CALL_WORDS * i + 2]);
  }

  private functionOf(piece: Piece): number {
    switch (piece.kind) {
      case "loop":
        return this.loops.get(loopKey(piece.call.shape))!;
      case "multiply":
        return CORE.indexOf("multiply");
      case "gather":
        return CORE.indexOf("gatherRows");
      case "scatter":
        return CORE.indexOf("scatterAdd");
    }
  }
}
