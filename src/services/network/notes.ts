/**
 * What processes say to all on a network: notes on boards, signed by the keys of their authors, each with a
 * time at which it ends. A note that is not signed, is malformed, stands under another's key, or has ended is
 * as good as none.
 */
import { type Bytes, bytesEqual, Reader, Writer } from "../../encoding/bytes.ts";
import { sha256 } from "../../encoding/hash.ts";
import { expectSize, MOST_NOTE, type Transport } from "../transport/transport.ts";
import { isSignedBy, NETWORK_SIGNATURE_BYTES, type NetworkKey } from "./key.ts";
import { type Body, BOARDS, type Board } from "./messages.ts";

const VERSION = 1;
/**
 * How far the clocks of two machines may differ, in seconds. A note is read for so much longer, which costs
 * little: who is drawn follows from offers, which only those make who are there.
 */
const CLOCK_SKEW = 900;
/** The most seconds that a note may be ahead. */
const LONGEST = 31 * 86_400;

/** A note that holds. */
export interface Note<B extends Board> {
  /** The public key of its author. */
  readonly author: string;
  readonly body: Body<B>;
  /** Seconds since 1970. */
  readonly expires: number;
}

export class Notes {
  private readonly transport: Transport;
  private readonly key: NetworkKey;
  private readonly now: () => number;
  /** What was read last, so that a signature is verified once. */
  private readonly seen = new Map<string, { readonly bytes: Bytes; readonly note: Note<Board> | undefined }>();

  /** @param now seconds since 1970; only tests give another clock */
  constructor(transport: Transport, key: NetworkKey, now: () => number = () => Date.now() / 1000) {
    this.transport = transport;
    this.key = key;
    this.now = now;
  }

  /**
   * @param topic tells it from other notes of the same author on the board, such as a task's id
   * @param seconds how long it holds
   */
  async post<B extends Board>(board: B, topic: string | undefined, body: Body<B>, seconds: number): Promise<void> {
    const place = placeOf(this.key.publicKey, topic);
    const expires = Math.ceil(this.now() + Math.min(seconds, LONGEST));
    const text = new TextEncoder().encode(JSON.stringify(body));
    const note = new Writer()
      .u8(VERSION)
      .u64(expires)
      .blob(text)
      .bytes(this.key.sign(sentence(board, place, expires, text)))
      .finish();
    expectSize(note, MOST_NOTE, `a note for ${board}`);
    await this.transport.post(board, place, note);
  }

  /** The notes of a board that hold. */
  async read<B extends Board>(board: B): Promise<Note<B>[]> {
    const found: Note<B>[] = [];
    const now = this.now();
    const present = await this.transport.notes(board);
    for (const [place, bytes] of present) {
      const name = `${board}.${place}`;
      const known = this.seen.get(name);
      const note = known && bytesEqual(known.bytes, bytes) ? known.note : opened(board, place, bytes);
      this.seen.set(name, { bytes, note });
      if (note && note.expires > now - CLOCK_SKEW && note.expires < now + LONGEST + CLOCK_SKEW)
        found.push(note as Note<B>);
    }
    for (const name of this.seen.keys())
      if (name.startsWith(`${board}.`) && !present.has(name.slice(board.length + 1))) this.seen.delete(name);
    return found;
  }
}

function opened(board: Board, place: string, bytes: Bytes): Note<Board> | undefined {
  try {
    const reader = new Reader(bytes, "a note");
    if (reader.u8() !== VERSION) return undefined;
    const expires = reader.u64();
    const text = reader.blob();
    const signature = reader.bytes(NETWORK_SIGNATURE_BYTES);
    reader.end();
    const [author] = place.split(".");
    if (!isSignedBy(author, sentence(board, place, expires, text), signature)) return undefined;
    const body = BOARDS[board].safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text)));
    return body.success ? { author, expires, body: body.data } : undefined;
  } catch {
    // Anybody may put any bytes on a board.
    return undefined;
  }
}

const placeOf = (author: string, topic: string | undefined): string =>
  topic === undefined ? author : `${author}.${topic}`;

/** The place is signed, too: nobody can put another's note elsewhere. */
function sentence(board: Board, place: string, expires: number, text: Bytes): Bytes {
  return new Writer().text("Verde note 1").text(board).text(place).u64(expires).bytes(sha256(text)).finish();
}
