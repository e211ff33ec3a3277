/** The parameters of a session's calls, which change when tensors change their places. */
import type { Places } from "./plan.ts";
import type { Entry } from "./table.ts";

/** A training step moves its state there and back; other orders of moves are rare. */
const MOST_KEPT = 4;

export class Parameters {
  private readonly calls: readonly Entry[];
  private readonly counts: readonly number[];
  /** The words of all calls, by the places of tensors. */
  private readonly known = new Map<string, BigInt64Array>();
  /** The number of 64-bit words of all calls. */
  readonly length: number;

  constructor(calls: readonly Entry[]) {
    const nowhere: Places = { tensor: () => 0, constant: () => 0, counter: () => 0, scratch: 0, buffer: 0, threads: 1 };
    this.calls = calls;
    this.counts = calls.map((call) => call.words(nowhere).length);
    this.length = this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Where the words of each call begin, in words. */
  starts(): number[] {
    let at = 0;
    return this.counts.map((count) => (at += count) - count);
  }

  /**
   * The words of all calls, one call after the other.
   * @param key has another value where the places of tensors differ
   */
  at(places: Places, key: string): BigInt64Array {
    let words = this.known.get(key);
    if (!words) {
      if (this.known.size === MOST_KEPT) this.known.clear();
      words = BigInt64Array.from(
        this.calls.flatMap((call) => call.words(places)),
        BigInt,
      );
      this.known.set(key, words);
    }
    return words;
  }
}
