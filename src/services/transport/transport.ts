/**
 * How processes on many machines find and ask each other. There are three ways: within one process, over
 * HTTP, and over NATS. All carry the same messages; who uses one does not know which it is.
 *
 * An answerer has a subject, such as `party.UABC`. A board holds notes: each key has one note, which the next
 * one replaces. What a transport carries is not trusted: answers and notes are signed where they matter.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { TransportError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";

/** Answers a message. What it throws is told as the reason of a refusal. */
export type Answerer = (message: Bytes) => Promise<Bytes>;

/** Ends what was begun. */
export type Ending = () => Promise<void>;

export interface Question {
  readonly message: Bytes;
  /** The most bytes of the answer. */
  readonly most: number;
  /** Milliseconds until the answer has to be there. */
  readonly timeout: number;
}

export interface Transport {
  /**
   * Answers what is asked under a subject, until it is ended.
   * @throws {TransportError} TAKEN when this process answers there already
   */
  answer(subject: string, answerer: Answerer): Promise<Ending>;
  /**
   * Asks under a subject. A question may arrive more than once.
   * @throws {TransportError} when there is no answer: NOBODY, UNREACHABLE, LATE, TOO_LARGE or REFUSED
   */
  ask(subject: string, question: Question): Promise<Bytes>;
  /** Puts a note on a board. @throws {TransportError} when it is too large, or the board can't be reached */
  post(board: string, key: string, note: Bytes): Promise<void>;
  /** The notes of a board, by their keys. @throws {TransportError} when it can't be reached */
  notes(board: string): Promise<ReadonlyMap<string, Bytes>>;
  /** Ends it, with all that it answers. */
  close(): Promise<void>;
}

/** The most bytes of what is asked. */
export const MOST_ASKED = 2 ** 19;
/** The most bytes of a note. */
export const MOST_NOTE = 2 ** 19;
/** The most notes of a board that are read. */
export const MOST_NOTES = 4096;
/** The most questions under one subject that wait at once. */
export const MOST_WAITING = 64;

const WORD = "[A-Za-z0-9_-]{1,100}";
const SUBJECT = new RegExp(`^${WORD}(\\.${WORD}){0,7}$`);

/** @throws {TransportError} for a text that is no subject, board or key */
export function expectSubject(text: string, what = "a subject"): string {
  if (SUBJECT.test(text)) return text;
  throw new TransportError("SUBJECT", `${quote(text)} is not ${what}: it is up to 8 words with dots between them`, {
    found: text,
  });
}

/** @throws {TransportError} for a message that is too long */
export function expectSize(bytes: Bytes, most: number, what: string): void {
  if (bytes.length > most)
    throw new TransportError("TOO_LARGE", `${what} has ${bytes.length} bytes; it may have ${most}`, {
      expected: most,
      found: bytes.length,
    });
}
