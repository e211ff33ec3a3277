/** What is remembered of the records of a trace, to see whether its file has changed since it was checked. */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";

/** The bytes of a record's hash that are kept. */
const MARK = 8;
/** The most marks: 512 KiB. */
const MOST = 2 ** 16;

/**
 * The beginnings of the hashes of every n-th step's record, and of the last one. The hash of a record covers
 * all records before it, so the records between two marks are compared with the second one. If there are too
 * many marks, every other one is dropped.
 */
export class Marks {
  private readonly data: Uint8Array<ArrayBuffer>;
  private readonly most: number;
  private every = 1;
  private count = 0;
  private last: Bytes = new Uint8Array(MARK);

  /** @param most the most marks, an even number */
  constructor(most = MOST) {
    this.most = most;
    this.data = new Uint8Array(most * MARK);
  }

  /** The number of records. */
  get length(): number {
    return this.count;
  }

  /** Takes the hash of the next record. */
  push(hash: Bytes): void {
    const step = this.count++;
    this.last = hash.slice(0, MARK);
    if (step % this.every !== 0) return;
    if (step / this.every === this.most) {
      for (let i = 1; 2 * i < this.most; i++) this.data.copyWithin(i * MARK, 2 * i * MARK, (2 * i + 1) * MARK);
      this.every *= 2;
    }
    this.data.set(this.last, (step / this.every) * MARK);
  }

  /** The first step from this one on whose record has a mark. There is a record of this step. */
  next(step: number): number {
    return Math.min(Math.ceil(step / this.every) * this.every, this.count - 1);
  }

  /** Whether a hash is that of the record of a step that has a mark. */
  fits(step: number, hash: Bytes): boolean {
    const at = (step / this.every) * MARK;
    const mark = step === this.count - 1 ? this.last : this.data.subarray(at, at + MARK);
    return bytesEqual(hash.subarray(0, MARK), mark);
  }
}
