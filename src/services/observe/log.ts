/** Logs as JSON lines: the time, the level, the message, and what it is about. */
import { pino, type Logger } from "pino";
import { unwritable } from "../../errors/index.ts";

/** The levels that a log may begin at, and what each shows beside those after it. */
export const LEVELS = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogOptions {
  /** A file, which grows, or `-` for stderr. */
  to: string;
  level?: Level;
  /** What stands in each line. */
  about?: Readonly<Record<string, string>>;
  /** Is told when a line can't be written. */
  onTrouble?(message: string): void;
}

/** @throws {FileError} when the file can't be written */
export function openLog({ to, level = "info", about = {}, onTrouble }: LogOptions): Logger {
  let stream: ReturnType<typeof pino.destination>;
  try {
    // At once: a process that is killed has said all.
    stream = pino.destination({ dest: to === "-" ? 2 : to, sync: true, append: true, mode: 0o600 });
  } catch (cause) {
    throw unwritable(to, cause);
  }
  stream.on("error", (error: Error) => onTrouble?.(error.message));
  return pino(
    {
      level,
      base: about,
      messageKey: "message",
      errorKey: "error",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (name) => ({ level: name }) },
      // A token must not get into a log.
      redact: ["req.headers.authorization", "headers.authorization"],
    },
    stream,
  );
}
