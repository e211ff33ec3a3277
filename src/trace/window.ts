/** Reads files of any length through a window. */
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
