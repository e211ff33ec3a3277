/** Failures of files and other bytes. */
import { type Evidence, messageOf, type SubCodes, VerdeError } from "./verde-error.ts";

export const FORMAT = {
  MISSING: {
    when: "There is no file, or no record on a server, with this name.",
    remedy: "Check the path; restore the file, or write it again with the command that the message names.",
  },
  UNREADABLE: {
    when: "It exists, but it can't be read: a folder, no permission, a failing disk or server.",
    remedy: "Give a file that you may read.",
  },
  TRUNCATED: {
    when: "It ends before its content is complete.",
    remedy: "Restore it or write it again; finish a cut trace with `verde run JOB --out FILE --resume`.",
  },
  TRAILING: { when: "There are bytes after its end.", remedy: "Restore it, or remove what was appended." },
  ALTERED: {
    when: "A hash or a signature does not match the content: it was changed after it was written.",
    remedy: "Restore it from a copy; do not use it.",
  },
  VERSION: {
    when: "It has a version that this program does not read.",
    remedy: "Write it again with this version, or use the version that wrote it.",
  },
  KIND: { when: "It is a file of another kind.", remedy: "Name a file of the kind that the message names." },
  MALFORMED: {
    when: "The content breaks a rule of its format.",
    remedy: "Write it again with the program that made it; the message names the place.",
  },
  NOT_CANONICAL: {
    when: "The content is understood, but it is not in canonical form.",
    remedy: "Write it again with `verde`.",
  },
  INCONSISTENT: {
    when: "Each record is valid, but the records contradict each other: one run did not write all of them.",
    remedy: "Record the run again.",
  },
  UNSUPPORTED: {
    when: "A valid file uses something that Verde does not read, such as another number type.",
    remedy: "Convert it to a type that the message names.",
  },
  TOO_LARGE: { when: "It is too large to be read.", remedy: "Split it, or record fewer steps or less detail." },
  RANGE: {
    when: "A number does not fit its field or type: it is too large, negative or not whole.",
    remedy: "Take a number in the range that the message names, or convert the data.",
  },
  INDEX: { when: "An element, leaf or chunk does not exist.", remedy: "Use an index below the count in the message." },
  NAME: {
    when: "A name has no characters, too many, or characters that names don't have (docs/spec.md, 5.5).",
    remedy: "Rename it; the message says what is wrong with it.",
  },
  DUPLICATE: { when: "A name is there twice.", remedy: "Rename one of the two." },
  FOREIGN: {
    when: "A valid file belongs to another account, chain or root than the one in use.",
    remedy: "Name the file that belongs to it.",
  },
} as const satisfies SubCodes;

/** A key of `FORMAT`. */
export type FormatSubCode = keyof typeof FORMAT;

/** Bytes are cut, altered, foreign, of another version, or not canonical. */
export class FormatError extends VerdeError<"VERDE_FORMAT", FormatSubCode> {
  constructor(subCode: FormatSubCode, message: string, evidence?: Evidence) {
    super("VERDE_FORMAT", subCode, message, evidence);
  }
}

/**
 * The error for a file that could not be opened or read, from the system's error.
 * @param what the file, as the beginning of the sentence
 * @param then what the user can do
 */
export function unreadable(what: string, path: string, cause: unknown, then?: string): FormatError {
  const why = `${what} can't be read: ${messageOf(cause)}${then === undefined ? "" : `; ${then}`}`;
  return new FormatError(isMissing(cause) ? "MISSING" : "UNREADABLE", why, { path });
}

/** Whether the system's error says that there is no file of this name. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
