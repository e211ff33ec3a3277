/** What every failure has. */

/** What a failure was decided on: names, indices, bit patterns, file positions. */
export type Evidence = Readonly<Record<string, unknown>> & {
  /** Where things were compared: what should have been there. */
  readonly expected?: unknown;
  /** Where things were compared: what is there. */
  readonly found?: unknown;
};

/** One row of docs/errors.md: when a failure is thrown, and what to do then. */
export interface SubCode {
  readonly when: string;
  readonly remedy: string;
}

export type SubCodes = Readonly<Record<string, SubCode>>;

/**
 * Every failure that Verde reports: a code for programs, a sentence for people (what was expected, what was found, what to
 * do), and the evidence it was decided on. docs/errors.md lists all codes.
 */
export abstract class VerdeError<Family extends string = string, Sub extends string = string> extends Error {
  /** The kind of failure, such as `VERDE_FORMAT`: one for each class. Stable across releases. */
  readonly family: Family;
  /** The failure, such as `VERDE_FORMAT_TRUNCATED`. Stable across releases. */
  readonly code: `${Family}_${Sub}`;
  readonly evidence: Evidence;

  constructor(family: Family, subCode: Sub, message: string, evidence: Evidence = {}) {
    super(message);
    this.name = new.target.name;
    this.family = family;
    this.code = `${family}_${subCode}`;
    this.evidence = evidence;
  }
}

/** A message for whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
