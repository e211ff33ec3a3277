/**
 * What goes over a network in answer to a question: the answer in one frame, the answer in pieces that are
 * acknowledged one by one, a sign that it is being worked on, or a refusal. Each frame begins with the
 * version of this encoding.
 */
import { type Bytes, Reader, Writer } from "../../encoding/bytes.ts";
import { messageOf, TransportError, VerdeError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";

const VERSION = 1;
const KINDS = ["whole", "piece", "working", "refused"] as const;
/** The bytes of a frame that are not the answer's: version, kind, offset and length. */
export const FRAME_BYTES = 1 + 1 + 4 + 4;
/** The most bytes of an answer. */
export const MOST_ANSWER = 2 ** 30;

export type Frame =
  | { readonly kind: "whole"; readonly bytes: Bytes }
  /** A part of an answer of `total` bytes, from `offset` on. */
  | { readonly kind: "piece"; readonly offset: number; readonly total: number; readonly bytes: Bytes }
  | { readonly kind: "working" }
  | { readonly kind: "refused"; readonly reason: string };

export function encodeFrame(frame: Frame): Bytes {
  const writer = new Writer().u8(VERSION).u8(KINDS.indexOf(frame.kind));
  if (frame.kind === "piece") writer.u32(frame.offset).u32(frame.total);
  if (frame.kind === "refused") writer.text(plainText(frame.reason));
  if (frame.kind === "whole" || frame.kind === "piece") writer.bytes(frame.bytes);
  return writer.finish();
}

/** @throws {FormatError} for bytes that are no frame */
export function decodeFrame(bytes: Bytes): Frame {
  const reader = new Reader(bytes, "a frame");
  const version = reader.u8();
  if (version !== VERSION)
    throw reader.error("VERSION", `version ${version} of the encoding; this one reads ${VERSION}`);
  const kind = KINDS[reader.u8()];
  switch (kind) {
    case "whole":
      return { kind, bytes: reader.bytes(reader.remaining) };
    case "piece": {
      const [offset, total] = [reader.u32(), reader.u32()];
      if (reader.remaining === 0 || offset + reader.remaining > total)
        throw reader.error("RANGE", `a piece of ${reader.remaining} bytes at ${offset} of ${total}`);
      return { kind, offset, total, bytes: reader.bytes(reader.remaining) };
    }
    case "working":
      reader.end();
      return { kind };
    case "refused": {
      const reason = plainText(reader.text());
      reader.end();
      return { kind, reason };
    }
    default:
      throw reader.error("KIND", "an unknown kind of frame");
  }
}

/** Puts pieces together that arrive in their order. */
export class Pieces {
  private readonly most: number;
  private readonly subject: string;
  private parts: Bytes[] = [];
  private have = 0;
  private total: number | undefined;

  /** @param most the most bytes of the answer */
  constructor(most: number, subject: string) {
    this.most = most;
    this.subject = subject;
  }

  /**
   * @returns the answer, once it is whole
   * @throws {TransportError} for a piece that does not follow the one before it, or an answer that is too
   *   long
   */
  take({ offset, total, bytes }: Extract<Frame, { kind: "piece" }>): Bytes | undefined {
    const { subject, most } = this;
    if (total > most)
      throw new TransportError("TOO_LARGE", `the answer of ${subject} has ${total} bytes; it may have ${most}`, {
        expected: most,
        found: total,
      });
    // A piece whose acknowledgement was lost comes again.
    if (total === this.total && offset + bytes.length === this.have) return undefined;
    if (offset !== this.have || (this.total !== undefined && total !== this.total))
      throw new TransportError("REFUSED", `${subject} sent a piece at ${offset} of ${total}, and not at ${this.have}`, {
        expected: this.have,
        found: offset,
      });
    this.total = total;
    this.parts.push(bytes.slice());
    this.have += bytes.length;
    if (this.have < total) return undefined;
    const whole = new Writer();
    for (const part of this.parts) whole.bytes(part);
    this.parts = [];
    return whole.finish();
  }
}

/** The failure of an asker whose question was refused. */
export function refusalOf(subject: string, error: unknown): TransportError {
  return refused(subject, reasonOf(error));
}

export function refused(subject: string, reason: string): TransportError {
  return new TransportError("REFUSED", `${subject} refuses: ${reason || "it gives no reason"}`, { subject });
}

/** What an asker is told about an error: nothing about this machine. */
export function reasonOf(error: unknown): string {
  return error instanceof VerdeError ? plainText(messageOf(error)) : "it failed";
}
