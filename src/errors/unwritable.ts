/** What the system says when a file can't be written, in words that name the file. */
import { FileError, type FileSubCode } from "./file.ts";
import { messageOf } from "./verde-error.ts";

/**
 * The error for a file that could not be written, from the system's error. It names the file, which the
 * system's own message often does not. What is no error of the system is returned as it is.
 * @param path the file as the user knows it
 */
export function unwritable(path: string, cause: unknown): unknown {
  if (!(cause instanceof Error && "code" in cause && "syscall" in cause)) return cause;
  const { code } = cause;
  const fail = (subCode: FileSubCode, problem: string): FileError =>
    new FileError(subCode, `${path} can't be written: ${problem} (${messageOf(cause)})`, { path, system: code });
  switch (code) {
    case "ENOSPC":
      return fail("FULL", "the disk is full; make room, and run the command again");
    case "EDQUOT":
      return fail("FULL", "your quota on this disk is used up; make room, and run the command again");
    case "EFBIG":
      return fail("FULL", "it would be longer than files may be here; raise the limit (`ulimit -f`), or name a file on another disk"); // prettier-ignore
    case "EACCES":
    case "EPERM":
      return fail("DENIED", "you have no permission; change it, or name another file");
    case "EROFS":
      return fail("DENIED", "the disk is mounted for reading only; name a file on another one");
    case "EIO":
      return fail("BROKEN", "the disk reports an error; check it, or name a file on another one");
    case "EMFILE":
    case "ENFILE":
      return fail("LIMIT", "too many files are open; close other programs, or raise the limit (`ulimit -n`)");
    case "ENOENT":
      return fail("UNWRITABLE", "its folder does not exist; make it, or name another file");
    default:
      return fail("UNWRITABLE", "the system does not allow it; name another file");
  }
}
