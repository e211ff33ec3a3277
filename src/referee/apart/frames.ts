/**
 * Messages over a pipe: four bytes with the length, then the message. A reader states beforehand how long a
 * message may be, and allocates no more than it has received.
 */
import { type Bytes, Writer } from "../../encoding/bytes.ts";
import { FormatError } from "../../errors/index.ts";

const HEAD_BYTES = 4;
const FIRST_BYTES = 65_536;

/** A message as it is sent. */
export function frameOf(message: Bytes): Bytes {
  return new Writer().blob(message).finish();
}

/** Puts messages together from the pieces in which they arrive. */
export class FrameReader {
  private readonly head = new Uint8Array(HEAD_BYTES);
  private headSize = 0;
  private length = 0;
  private body = new Uint8Array(0);
  private size = 0;

  /**
   * The messages that are complete with this piece.
   * @param most the most bytes of a message
   * @throws {FormatError} for a longer message; nothing can be read after it
   */
  feed(piece: Bytes, most: number): Bytes[] {
    const messages: Bytes[] = [];
    for (let at = 0; at < piece.length; ) {
      at += this.headSize < HEAD_BYTES ? this.takeHead(piece, at, most) : this.takeBody(piece, at);
      if (this.headSize < HEAD_BYTES || this.size < this.length) continue;
      messages.push(this.body);
      this.headSize = 0;
    }
    return messages;
  }

  private takeHead(piece: Bytes, at: number, most: number): number {
    this.head[this.headSize++] = piece[at];
    if (this.headSize < HEAD_BYTES) return 1;
    this.length = new DataView(this.head.buffer).getUint32(0);
    if (this.length > most)
      throw new FormatError("TOO_LARGE", `a message of ${this.length} bytes; it has at most ${most}`);
    this.body = new Uint8Array(Math.min(this.length, FIRST_BYTES));
    this.size = 0;
    return 1;
  }

  private takeBody(piece: Bytes, at: number): number {
    const part = piece.subarray(at, at + this.length - this.size);
    if (this.size + part.length > this.body.length) {
      const larger = new Uint8Array(Math.min(this.length, Math.max(2 * this.body.length, this.size + part.length)));
      larger.set(this.body.subarray(0, this.size));
      this.body = larger;
    }
    this.body.set(part, this.size);
    this.size += part.length;
    return part.length;
  }
}
