/** The base of all failures. */
import { boundedMessage } from "./text.ts";

/** The facts on which a failure is based: names, indices, bit patterns, file positions. */
export type Evidence = Readonly<Record<string, unknown>> & {
  /** The expected value, if values were compared. */
  readonly expected?: unknown;
  /** The value found, if values were compared. */
  readonly found?: unknown;
};

/** One row of docs/errors.md: when a failure is thrown, and what the user can do. */
export interface SubCode {
  readonly when: string;
  readonly remedy: string;
}

export type SubCodes = Readonly<Record<string, SubCode>>;

/**
 * Every failure that Verde reports. It has a code for programs, a sentence for people (what was expected,
 * what was found, what to do), and the evidence. docs/errors.md lists all codes. The sentence may quote a
 * file: whatever that holds, the sentence has no control characters, and is cut to some 2,000 characters.
 */
export abstract class VerdeError<Family extends string = string, Sub extends string = string> extends Error {
  /** The kind of failure, such as `VERDE_FORMAT`: one for each class. Stable across releases. */
  readonly family: Family;
  /** The failure, such as `VERDE_FORMAT_TRUNCATED`. Stable across releases. */
  readonly code: `${Family}_${Sub}`;
  readonly evidence: Evidence;
  /** The place in a job's code that led to it, if a job was loaded: `job.ts:7:11`. */
  place?: string;

  constructor(family: Family, subCode: Sub, message: string, evidence: Evidence = {}) {
    super(boundedMessage(message));
    this.name = new.target.name;
    this.family = family;
    this.code = `${family}_${subCode}`;
    this.evidence = evidence;
  }
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
