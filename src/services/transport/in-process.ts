/**
 * The transport within one process: no server, and nothing is encoded. Boards live as long as the process.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { TransportError } from "../../errors/index.ts";
import { refusalOf } from "./frames.ts";
import {
  type Answerer,
  type Ending,
  expectSize,
  expectSubject,
  MOST_ASKED,
  MOST_NOTE,
  MOST_NOTES,
  MOST_WAITING,
  type Question,
  type Transport,
} from "./transport.ts";

interface Answering {
  readonly answerer: Answerer;
  waiting: number;
}

export class InProcess implements Transport {
  private readonly answering = new Map<string, Answering>();
  private readonly boards = new Map<string, Map<string, Bytes>>();

  async answer(subject: string, answerer: Answerer): Promise<Ending> {
    expectSubject(subject);
    if (this.answering.has(subject))
      throw new TransportError("TAKEN", `somebody answers for ${subject} already; use another key`, { subject });
    const own = { answerer, waiting: 0 };
    this.answering.set(subject, own);
    return async () => {
      if (this.answering.get(subject) === own) this.answering.delete(subject);
    };
  }

  async ask(subject: string, { message, most, timeout }: Question): Promise<Bytes> {
    expectSize(message, MOST_ASKED, "a question");
    const found = this.answering.get(expectSubject(subject));
    if (!found) throw new TransportError("NOBODY", `nobody answers for ${subject}; check that it runs`, { subject });
    if (found.waiting >= MOST_WAITING)
      throw new TransportError("REFUSED", `${subject} has too many questions to answer; ask again later`, { subject });
    found.waiting++;
    // A copy: what an answerer does to the message is no business of the asker's.
    const answer = found
      .answerer(message.slice())
      .catch((error: unknown) => {
        throw refusalOf(subject, error);
      })
      .finally(() => found.waiting--);
    const bytes = (await inTime(answer, timeout, subject)).slice();
    expectSize(bytes, most, `the answer of ${subject}`);
    return bytes;
  }

  async post(board: string, key: string, note: Bytes): Promise<void> {
    expectSubject(board, "the name of a board");
    expectSubject(key, "a key");
    expectSize(note, MOST_NOTE, "a note");
    const notes = this.boards.get(board) ?? new Map<string, Bytes>();
    this.boards.set(board, notes);
    // The newest is last, and the oldest leaves a board that is full.
    notes.delete(key);
    if (notes.size >= MOST_NOTES) notes.delete(notes.keys().next().value!);
    notes.set(key, note.slice());
  }

  async notes(board: string): Promise<ReadonlyMap<string, Bytes>> {
    return new Map(this.boards.get(expectSubject(board, "the name of a board")));
  }

  async close(): Promise<void> {
    this.answering.clear();
  }
}

/** @throws {TransportError} LATE when the answer is not there in time */
async function inTime<T>(answer: Promise<T>, millis: number, subject: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TransportError("LATE", `${subject} gave no answer within ${millis / 1000} s`, { subject })),
      millis,
    );
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
