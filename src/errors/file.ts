/** Failures of writing: another process writes, the disk is full, or the system refuses. */
import { type Evidence, type SubCodes, VerdeError } from "./verde-error.ts";

export const FILE = {
  LOCKED: {
    when: "Another process writes to the file, or to what belongs to it.",
    remedy: "Wait until that process has ended, or name another file.",
  },
  FULL: {
    when: "The disk is full, or a quota or a limit on the size of files is reached.",
    remedy: "Make room, and run the command again; a run continues with `--resume`.",
  },
  DENIED: {
    when: "The system does not let this user write there: no permission, or a read-only disk.",
    remedy: "Name a place that you may write to, or change the permissions.",
  },
  BROKEN: {
    when: "The disk reports an error.",
    remedy: "Check the disk; a run that has written a trace continues with `--resume` on another one.",
  },
  LIMIT: { when: "Too many files are open.", remedy: "Close other programs, or raise the limit (`ulimit -n`)." },
  UNWRITABLE: {
    when: "The file can't be written for another reason: its folder is missing, or the name is that of a folder.",
    remedy: "Name a file in a folder that exists.",
  },
} as const satisfies SubCodes;

/** A key of `FILE`. */
export type FileSubCode = keyof typeof FILE;

/** A file can't be written now. */
export class FileError extends VerdeError<"VERDE_FILE", FileSubCode> {
  constructor(subCode: FileSubCode, message: string, evidence?: Evidence) {
    super("VERDE_FILE", subCode, message, evidence);
  }
}
