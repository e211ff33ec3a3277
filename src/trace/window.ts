/** Memory for reading traces of any length: a window on the file, and lists of short byte strings. */
import type { Bytes } from "../encoding/bytes.ts";
import type { ByteSource } from "../formats/byte-source.ts";

/** The bytes that are read at once, where a file is read from one end to the other. */
export const PIECE = 2 ** 20;

/** A file that is read forwards. It holds one piece of the file, or one longer stretch that was asked for. */
export class Window {
  private readonly file: ByteSource;
  private readonly piece: number;
  private from = 0;
  private held: Bytes = new Uint8Array();

  /** @param piece how many bytes are read at least */
  constructor(file: ByteSource, piece = PIECE) {
    this.file = file;
    this.piece = piece;
  }

  /** @returns `undefined` when the file ends before; the bytes are valid until the next call */
  async bytes(from: number, length: number): Promise<Bytes | undefined> {
    const { size } = this.file;
    if (from + length > size) return undefined;
    if (from < this.from || from + length > this.from + this.held.length) {
      this.held = await this.file.read(from, Math.min(Math.max(length, this.piece), size - from));
      this.from = from;
    }
    const bytes = this.held.subarray(from - this.from, from - this.from + length);
    return bytes.length === length ? bytes : undefined;
  }
}

/** A list of byte strings of one length, in one piece of memory. */
export class Packed {
  /** The bytes of an item. */
  private readonly width: number;
  private data: Uint8Array<ArrayBuffer>;
  private count = 0;

  constructor(width: number) {
    this.width = width;
    this.data = new Uint8Array(64 * width);
  }

  get length(): number {
    return this.count;
  }

  push(item: Bytes): void {
    if ((this.count + 1) * this.width > this.data.length) {
      const longer = new Uint8Array(2 * this.data.length);
      longer.set(this.data);
      this.data = longer;
    }
    this.data.set(item, this.width * this.count++);
  }

  /** A view of an item. `undefined` for an item that does not exist. */
  at(index: number): Bytes | undefined {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) return undefined;
    return this.data.subarray(this.width * index, this.width * (index + 1));
  }
}
