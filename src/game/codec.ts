/**
 * Questions and answers as bytes, to be sent. Every message begins with the version of this encoding and the
 * kind of message. Each value has exactly one encoding, so equal messages have equal bytes. A decoder first
 * checks the number of bytes against a limit, and it never allocates more than the bytes that it was given.
 */
import { type Bytes, Reader, Writer } from "../encoding/bytes.ts";
import { FormatError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { Answer, Position } from "./level.ts";
import { type Question, QUESTION_KINDS } from "./question.ts";

/** Raised when the bytes of any message change their meaning. */
const VERSION = 1;
/** The kinds of messages: the second byte of each. */
export const Message = { question: 1, place: 2, answer: 3, witness: 4, operands: 5, output: 6, signature: 7 } as const;
/** The kind of a message. */
export type Message = (typeof Message)[keyof typeof Message];
const HEAD_BYTES = 2;

/** The most levels that a place may be below. */
const MAX_DEPTH = 16;
const MAX_NAME = 32;
const NAME = /^[!-~]{1,32}$/;
const MAX_PLACE_BYTES = 1 + MAX_DEPTH * (1 + MAX_NAME + 4 + 4);
/** The most bytes of a question, however deep its place is. */
export const MAX_QUESTION_BYTES = HEAD_BYTES + 1 + 1 + 4 + MAX_PLACE_BYTES;

/** A writer that has written the first bytes of a message: version and kind. */
export function startMessage(message: Message): Writer {
  return new Writer().u8(VERSION).u8(message);
}

/**
 * A reader, positioned after the first bytes of a message.
 * @param limit the most bytes that such a message may have
 * @throws {FormatError} when it is longer, has another version, or is another kind of message
 */
export function openMessage(bytes: Bytes, message: Message, limit: number, what: string): Reader {
  if (bytes.length > limit)
    throw new FormatError("TOO_LARGE", `${what} of ${bytes.length} bytes; it has at most ${limit}`, {
      bytes: bytes.length,
      limit,
    });
  const reader = new Reader(bytes, what);
  const version = reader.u8();
  if (version !== VERSION)
    throw reader.error("VERSION", `version ${version} of the encoding; this one reads version ${VERSION}`);
  if (reader.u8() !== message) throw reader.error("KIND", "another kind of message");
  return reader;
}

/** @throws {FormatError} when a number or a name in it is one that no well-formed question has */
export function encodeQuestion({ kind, at, height, position }: Question): Bytes {
  const number = QUESTION_KINDS.indexOf(kind);
  if (number < 0) throw new FormatError("KIND", `there is no question of the kind ${quote(kind)}`);
  const writer = startMessage(Message.question).u8(number + 1);
  writer.u8(fitting(height, 8, "a height")).u32(fitting(position, 32, "a position"));
  return writePlace(writer, at).finish();
}

/**
 * The question that `encodeQuestion` wrote. It does not check that the place exists: `checkQuestion` does.
 * @throws {FormatError} for anything else
 */
export function decodeQuestion(bytes: Bytes): Question {
  const reader = openMessage(bytes, Message.question, MAX_QUESTION_BYTES, "a question");
  const kind = QUESTION_KINDS[reader.u8() - 1];
  if (!kind) throw reader.error("MALFORMED", "an unknown kind of question");
  const [height, position] = [reader.u8(), reader.u32()];
  const at = readPlace(reader);
  reader.end();
  return { kind, at, height, position };
}

/**
 * A place alone: the request for the one-step proof at the bottom.
 * @throws {FormatError} as `encodeQuestion`
 */
export function encodePlace(at: Position): Bytes {
  return writePlace(startMessage(Message.place), at).finish();
}

/** @throws {FormatError} for bytes that `encodePlace` did not write */
export function decodePlace(bytes: Bytes): Position {
  const reader = openMessage(bytes, Message.place, HEAD_BYTES + MAX_PLACE_BYTES, "a place");
  const at = readPlace(reader);
  reader.end();
  return at;
}

function writePlace(writer: Writer, at: Position): Writer {
  if (at.length > MAX_DEPTH)
    throw new FormatError("TOO_LARGE", `a place below ${at.length} levels; there are at most ${MAX_DEPTH}`);
  writer.u8(at.length);
  for (const { level, index, part } of at) {
    if (!NAME.test(level))
      throw new FormatError("MALFORMED", `${quote(JSON.stringify(level))} is not the name of a level`);
    writer.u8(level.length).bytes(new TextEncoder().encode(level));
    writer.u32(fitting(index, 32, "an index")).u32(fitting(part, 32, "a part"));
  }
  return writer;
}

function readPlace(reader: Reader): Position {
  const depth = reader.u8();
  if (depth > MAX_DEPTH) throw reader.error("TOO_LARGE", `a place below ${depth} levels`);
  return Array.from({ length: depth }, () => {
    const length = reader.u8();
    if (length > MAX_NAME) throw reader.error("TOO_LARGE", `a level's name of ${length} bytes`);
    const level = String.fromCharCode(...reader.bytes(length));
    if (!NAME.test(level)) throw reader.error("MALFORMED", "these bytes are not the name of a level");
    return { level, index: reader.u32(), part: reader.u32() };
  });
}

/**
 * An answer, or the fact that there is none.
 * @param lengths the lengths of its byte strings. The question fixes them (`lengthsOf`), so they are not
 *   encoded
 * @throws {FormatError} when the answer has other lengths
 */
export function encodeAnswer(answer: Answer | undefined, lengths: readonly number[]): Bytes {
  const writer = startMessage(Message.answer).u8(answer ? 1 : 0);
  if (!answer) return writer.finish();
  const fits = answer.length === lengths.length && answer.every((bytes, i) => bytes.length === lengths[i]);
  if (!fits)
    throw new FormatError("MALFORMED", "the parts of the answer do not have the lengths that the question asks for", {
      lengths,
    });
  for (const bytes of answer) writer.bytes(bytes);
  return writer.finish();
}

/**
 * The answer that `encodeAnswer` wrote for the same lengths. A party whose bytes can't be decoded has not
 * answered.
 * @throws {FormatError} for anything else
 */
export function decodeAnswer(bytes: Bytes, lengths: readonly number[]): Answer | undefined {
  const limit = lengths.reduce((sum, length) => sum + length, HEAD_BYTES + 1);
  const reader = openMessage(bytes, Message.answer, limit, "an answer");
  const given = readFlag(reader);
  const answer = given ? lengths.map((length) => reader.bytes(length).slice()) : undefined;
  reader.end();
  return answer;
}

/** A byte that is 0 or 1. @throws {FormatError} for any other */
export function readFlag(reader: Reader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw reader.error("NOT_CANONICAL", `the flag is ${flag}, which is neither 0 nor 1`);
  return flag === 1;
}

/** @throws {FormatError} for a number that is not whole, or does not fit */
function fitting(value: number, bits: number, what: string): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** bits)
    throw new FormatError("RANGE", `${quote(value)} is not ${what}: a whole number of ${bits} bits`, { value });
  return value;
}
