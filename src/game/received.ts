/**
 * What a party hands over within this process, as fresh copies. A prover may be anybody's code: it may give
 * other types than it declares, values that change between two looks, or throw. Each value is read once and
 * checked, and only its copy is used.
 */
import type { Bytes } from "../encoding/bytes.ts";
import { DisputeError, messageOf } from "../errors/index.ts";
import type { Answer } from "./level.ts";

/** The most characters of a reason that a party gives. */
export const MAX_REASON = 1000;

/** A party's value, or the reason why it gave none that is valid. Both are absent if it gave `undefined`. */
export interface Received<T> {
  readonly value?: T;
  readonly problem?: string;
  /** Whether it gave something that is malformed, instead of nothing. */
  readonly isMalformed?: boolean;
}

/** Waits for a party's value, and copies it. It never rejects. */
export async function receive<T>(make: () => Promise<unknown>, copy: (value: unknown) => T): Promise<Received<T>> {
  let given: unknown;
  try {
    given = await make();
  } catch (error) {
    return { problem: reasonOf(error) };
  }
  if (given === undefined) return {};
  try {
    return { value: copy(given) };
  } catch (error) {
    return { problem: reasonOf(error), isMalformed: true };
  }
}

/** What `make` gives, or `undefined` if it throws. */
export function quietly<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** The message of whatever a party threw. */
function reasonOf(error: unknown): string {
  try {
    return plainText(messageOf(error)) || "it failed without a reason";
  } catch {
    return "it threw a value that can't be described";
  }
}

/** A party's text as one line of printable characters, cut after 1000. It is safe to show in a terminal. */
export function plainText(text: string): string {
  return String(text)
    .slice(0, MAX_REASON)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ")
    .trim();
}

/** @throws {DisputeError} that says what is wrong with `what` */
export function malformed(what: string, problem: string): never {
  throw new DisputeError("ANSWER_MALFORMED", `${what} is malformed: ${problem}`);
}

/** The classes of arrays that parties hand over. */
interface Arrays<T> {
  readonly name: string;
  new (length: number): T;
}

const TYPED_ARRAY: object = Object.getPrototypeOf(Uint8Array.prototype);
const getter = (member: string | symbol) => Object.getOwnPropertyDescriptor(TYPED_ARRAY, member)!.get!;
/** The engine's own view of an array. What a subclass or a proxy says about itself is not asked. */
const [classOf, lengthOf] = [getter(Symbol.toStringTag), getter("length")];

/**
 * A copy of a typed array of exactly this class.
 * @param most the most elements that it may have @param least the fewest; default: `most`
 * @throws {DisputeError} for anything else
 */
export function receivedArray<T extends { set(from: T): void }>(
  value: unknown,
  Class: Arrays<T>,
  what: string,
  most: number,
  least = most,
): T {
  if (classOf.call(value) !== Class.name) malformed(what, `it is no ${Class.name}`);
  const length = lengthOf.call(value) as number;
  if (length > most || length < least)
    malformed(what, `it has ${length} elements instead of ${least === most ? most : `${least} to ${most}`}`);
  const copy = new Class(length);
  copy.set(value as T);
  return copy;
}

/** @throws {DisputeError} for anything but a byte array of such a length */
export function receivedBytes(value: unknown, what: string, most: number, least = most): Bytes {
  return receivedArray<Bytes>(value, Uint8Array, what, most, least);
}

/** @throws {DisputeError} for anything but an array of such a length, whose items `item` accepts */
export function receivedList<T>(
  value: unknown,
  item: (value: unknown) => T,
  what: string,
  most: number,
  least = most,
): T[] {
  if (!Array.isArray(value)) malformed(what, "it is no array");
  const { length } = value as unknown[];
  if (!Number.isInteger(length) || length > most || length < least)
    malformed(what, `it has ${length} items instead of ${least === most ? most : `${least} to ${most}`}`);
  return Array.from({ length }, (_, i) => item((value as unknown[])[i]));
}

/** @throws {DisputeError} for anything but an object */
export function receivedRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) malformed(what, "it is no object");
  return value as Readonly<Record<string, unknown>>;
}

/**
 * A copy of an answer.
 * @param lengths the lengths in bytes that the question asks for
 * @param what the answer, as a reason calls it
 * @throws {DisputeError} for anything but byte arrays of these lengths
 */
export function receivedAnswer(value: unknown, lengths: readonly number[], what: string): Answer {
  let part = 0;
  return receivedList(value, (bytes) => receivedBytes(bytes, what, lengths[part++]), what, lengths.length);
}
