/** Roots of a session's tensors: at once, or by another thread while the session computes. */
import { merkleRoot, type TreeRoot } from "../../../encoding/merkle.ts";
import { byteLength, tensorRootOf, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import type { Library, Memory } from "./library.ts";

const DIGEST = 32;
/** Of a root: where the data is, its bytes, where the root is written. */
const ROOT_WORDS = 3;
/** Another thread is not worth the call for less. In bytes. */
const LITTLE = 2 ** 18;

/** A tensor in memory. */
export interface Placed {
  type: TensorType;
  address: number;
}

/** Hashes in memory of its own, so that it can run beside everything else but itself. */
export class Hasher {
  private readonly library: Library;
  private readonly memory: Memory;
  private readonly digests: number;
  private readonly scratch: number;
  private readonly threads: number;
  private readonly little: number;
  /** How many calls that have not ended read from an address. */
  private readonly reading = new Map<number, number>();
  private last: Promise<unknown> = Promise.resolve();

  /**
   * @param types those of all tensors that one call may name
   * @param threads on which a call hashes, where none of them is computing
   * @param little calls for fewer bytes are not left to another thread
   */
  constructor(library: Library, types: readonly TensorType[], threads: number, little = LITTLE) {
    const trees = types.reduce((sum, type) => sum + library.core.verde_tree_scratch(byteLength(type)), 0);
    this.library = library;
    this.threads = threads;
    this.little = little;
    this.digests = 8 * ROOT_WORDS * types.length;
    this.scratch = this.digests + DIGEST * types.length;
    this.memory = library.take(this.scratch + trees);
  }

  /** The roots, when this returns. No call of `beside` may be open. */
  now(tensors: readonly Placed[]): TensorRoot[] {
    const { places, count } = this.list(tensors);
    this.library.core.verde_roots(...this.arguments(count));
    return this.results(tensors, places);
  }

  /**
   * The roots of the tensors as they are at the call. Until the promise is fulfilled their memory is read,
   * and `untilFree` says when that has ended.
   */
  beside(tensors: readonly Placed[]): Promise<TensorRoot[]> {
    const bytes = tensors.reduce((sum, { type }) => sum + byteLength(type), 0);
    if (this.reading.size === 0 && bytes < this.little) return Promise.resolve(this.now(tensors));
    for (const { address } of tensors) this.reading.set(address, (this.reading.get(address) ?? 0) + 1);
    const roots = this.last.then(async () => {
      try {
        const { places, count } = this.list(tensors);
        await this.library.beside("verde_roots", ...this.arguments(count));
        return this.results(tensors, places);
      } finally {
        for (const { address } of tensors) this.release(address);
      }
    });
    this.last = roots.catch(() => undefined);
    return roots;
  }

  private release(address: number): void {
    const readers = this.reading.get(address)! - 1;
    if (readers === 0) this.reading.delete(address);
    else this.reading.set(address, readers);
  }

  isReading(addresses: readonly number[]): boolean {
    return this.reading.size > 0 && addresses.some((address) => this.reading.has(address));
  }

  /** Returns when nothing reads from these addresses any more. */
  async untilFree(addresses: readonly number[]): Promise<void> {
    if (this.isReading(addresses)) await this.last;
  }

  /** Returns when nothing is hashed any more. */
  async untilIdle(): Promise<void> {
    if (this.reading.size > 0) await this.last;
  }

  /** Frees the memory when nothing is hashed any more. */
  async close(): Promise<void> {
    await this.last;
    this.library.give(this.memory);
  }

  /** Writes what to hash: each tensor that has elements, once. */
  private list(tensors: readonly Placed[]): { places: Map<number, number>; count: number } {
    const places = new Map<number, number>();
    const words: number[] = [];
    for (const { type, address } of tensors) {
      if (byteLength(type) === 0 || places.has(address)) continue;
      words.push(address, byteLength(type), this.memory.address + this.digests + DIGEST * places.size);
      places.set(address, places.size);
    }
    new BigInt64Array(this.memory.buffer, 0, words.length).set(words.map(BigInt));
    return { places, count: places.size };
  }

  private arguments(count: number): [list: number, count: number, scratch: number, threads: number] {
    return [this.memory.address, count, this.memory.address + this.scratch, this.threads];
  }

  private results(tensors: readonly Placed[], places: ReadonlyMap<number, number>): TensorRoot[] {
    return tensors.map(({ type, address }) => {
      if (byteLength(type) === 0) return tensorRootOf(type, merkleRoot([]));
      const at = this.digests + DIGEST * places.get(address)!;
      return tensorRootOf(type, new Uint8Array(this.memory.buffer, at, DIGEST).slice() as TreeRoot);
    });
  }
}
