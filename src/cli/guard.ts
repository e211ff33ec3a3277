/**
 * The exit code, whatever happens: an error that nothing catches, an output that can't be written, a module
 * that ends the process. 0 and 1 are verdicts, so only a command that has finished exits with one of them.
 * Other code in this folder never assigns `process.exitCode`. This file imports next to nothing: it also
 * works when the rest can't be loaded.
 */
import { writeSync } from "node:fs";
import { boundedMessage } from "../errors/text.ts";

/** As `EXIT.failure` in exit.ts. */
const FAILURE = 3;
/** What Node exits with if the first module waits for ever. */
const UNSETTLED = 13;
/** What a shell reports of a program that SIGPIPE ended: 128 and the number of the signal. */
const NO_READER = 141;

let verdict = 0;
let isFinished = false;
let isDrained = false;
let report: (error: unknown) => void = (error) =>
  say(`${error instanceof Error ? error.message : String(error)} (VERDE_FAILURE)`);

/** Straight to the file descriptor: the stream may be what has failed. */
function say(message: string): void {
  try {
    writeSync(2, `verde: ${boundedMessage(message)}\n`);
  } catch {
    // Nobody can be told.
  }
}

/** Notes the exit code of the command that runs. It counts if the command finishes. */
export function exitWith(code: number): void {
  verdict = code;
}

/** The exit code that was noted. */
export function noted(): number {
  return verdict;
}

/** Notes that the command has finished, with its own exit code or another one. */
export function finish(code: number = verdict): void {
  exitWith(code);
  isFinished = true;
}

/** Sets how failures are reported from now on. */
export function reportWith(reporter: (error: unknown) => void): void {
  report = reporter;
}

/** Ends the process at once, because of an error that is no result of a command. */
export function abandon(error: unknown): never {
  leave(FAILURE, () => report(error));
}

function leave(code: number, tell: () => void = () => {}): never {
  finish(code);
  try {
    tell();
  } finally {
    process.exit(code);
  }
}

/** Watches over the process from now on. */
export function guard(): void {
  process.on("uncaughtException", abandon);
  process.stdout.on("error", ({ code, message }: NodeJS.ErrnoException) => {
    // The reader of our output has stopped reading, as `head` does. It has not seen the whole output.
    if (code === "EPIPE" || code === "EOF") leave(NO_READER);
    leave(FAILURE, () =>
      say(`the output can't be written to stdout: ${message}; the exit code is no verdict (VERDE_FAILURE)`),
    );
  });
  // What stderr shows is no result: whether anybody can read it changes nothing.
  process.stderr.on("error", () => {});
  process.on("beforeExit", () => (isDrained = true));
  process.on("exit", (code) => {
    // Codes above 2 are no verdicts, whoever sets them.
    const isVerdict = code < FAILURE || code === UNSETTLED;
    if (!isFinished && isVerdict) {
      verdict = FAILURE;
      say(
        isDrained
          ? "the command can't finish: it waits for a promise that nothing will settle; look for one in the job or the backend (VERDE_FAILURE)"
          : "the process was ended before the command had finished; remove process.exit from the job or the backend (VERDE_FAILURE)",
      );
    }
    process.exitCode = isVerdict || verdict !== 0 ? verdict : code;
  });
}
