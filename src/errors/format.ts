/** Failures of files and other bytes. */
import { type Evidence, messageOf, type SubCodes, VerdeError } from "./verde-error.ts";

export const FORMAT = {
  MISSING: {
    when: "There is no file, or no record of a server, of this name.",
    remedy: "Check the path; restore the file, or write it anew with the command that the message names.",
  },
  UNREADABLE: {
    when: "It is there, but it can't be read: a folder, no permission, a failing disk or server.",
    remedy: "Give a file that you may read.",
  },
  TRUNCATED: {
    when: "It ends before the content that it announces.",
    remedy: "Restore it or write it anew; a cut trace is finished with `verde run JOB --out FILE --resume`.",
  },
  TRAILING: { when: "Bytes are left over after its end.", remedy: "Restore it, or remove what was appended." },
  ALTERED: {
    when: "A hash or a signature does not match the content: it was changed after it was written.",
    remedy: "Restore it from a copy; do not use it.",
  },
  VERSION: {
    when: "It is of a version that this program does not read.",
    remedy: "Write it anew with this version, or use the version that wrote it.",
  },
  KIND: { when: "It is a file of another kind.", remedy: "Name a file of the kind that the message asks for." },
  MALFORMED: {
    when: "The content breaks a rule of its format.",
    remedy: "Write it anew with the program that made it; the message names the place.",
  },
  NOT_CANONICAL: {
    when: "The content means something, but is not written in the one form that is allowed.",
    remedy: "Write it anew with `verde`.",
  },
  INCONSISTENT: {
    when: "Each record is sound, but they contradict each other: one run did not write them.",
    remedy: "Record the run again.",
  },
  UNSUPPORTED: {
    when: "A sound file uses something that is not read here, such as another number type.",
    remedy: "Convert it to what the message names.",
  },
  TOO_LARGE: { when: "It is larger than what can be read.", remedy: "Split it, or record fewer steps or less detail." },
  RANGE: {
    when: "A number is too large for the place that it has to go to.",
    remedy: "Convert the data to numbers that fit.",
  },
  INDEX: { when: "An element, leaf or chunk does not exist.", remedy: "Take an index below the count in the message." },
  DUPLICATE: { when: "A name stands twice.", remedy: "Rename one of the two." },
  FOREIGN: {
    when: "A sound file belongs to another account, chain or root than the one in use.",
    remedy: "Name the file that belongs.",
  },
} as const satisfies SubCodes;

/** A key of `FORMAT`. */
export type FormatSubCode = keyof typeof FORMAT;

/** Bytes that are not what they should be: cut, altered, foreign, of another version, or not canonical. */
export class FormatError extends VerdeError<"VERDE_FORMAT", FormatSubCode> {
  constructor(subCode: FormatSubCode, message: string, evidence?: Evidence) {
    super("VERDE_FORMAT", subCode, message, evidence);
  }
}

/**
 * Why a file could not be opened or read, from what the system threw.
 * @param what names the file at the beginning of the sentence
 * @param then what to do about it
 */
export function unreadable(what: string, path: string, cause: unknown, then?: string): FormatError {
  const why = `${what} can't be read: ${messageOf(cause)}${then === undefined ? "" : `; ${then}`}`;
  return new FormatError(isMissing(cause) ? "MISSING" : "UNREADABLE", why, { path });
}

/** Whether the system says that there is no file of this name. */
export function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
