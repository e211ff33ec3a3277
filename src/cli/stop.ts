/** Ends a long command as its user asked: by Ctrl-C, or by closing what reads its output. */
import { RunError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import { run, type RunOptions, type RunResult } from "../trace/run.ts";
import { EXIT, reportFailure } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, reportLine } from "./output.ts";

/** The signals that end a command, and its exit codes then: 128 and the number of the signal. */
const EXITS = { SIGINT: 130, SIGTERM: 143 } as const;
type Stop = keyof typeof EXITS;

interface Stopping {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, if one did. */
  code(): number | undefined;
  /** From now on signals end the process as they usually do. */
  done(): void;
}

/**
 * Lets a command finish what it is doing when the first signal comes. The second signal ends the process at
 * once.
 * @param doing what the command finishes, for the user
 */
export function stopOnSignal(doing: string): Stopping {
  const controller = new AbortController();
  let first: Stop | undefined;
  const stop = (name: Stop): void => {
    if (first !== undefined) process.exit(EXITS[name]);
    first = name;
    reportLine(colors.yellow(`verde: ${name}: ${doing}; a second signal stops at once`));
    controller.abort();
  };
  const names = Object.keys(EXITS) as Stop[];
  for (const name of names) process.on(name, stop);
  return {
    signal: controller.signal,
    code: () => first && EXITS[first],
    done: () => {
      for (const name of names) process.off(name, stop);
    },
  };
}

/**
 * Runs a job until its end, or until a signal stops it. With a trace it does not matter whether anybody reads
 * the output.
 * @returns `undefined` when a signal stopped the run; then everything is said, and the exit code is set
 */
export async function runUntilStopped(
  job: ClosedJob,
  options: RunOptions,
  json: boolean,
): Promise<RunResult | undefined> {
  const { out } = options;
  if (out !== undefined) continueWithoutReader(out);
  const stopping = stopOnSignal("the training step is finished, and then the run stops");
  try {
    return await run(job, { ...options, signal: stopping.signal });
  } catch (error) {
    const code = stopping.code();
    if (code === undefined || !(error instanceof RunError)) throw error;
    reportFailure(error, json);
    if (out !== undefined) reportLine(`  ${commandWith("--resume", ["--force"])}`);
    exitWith(code);
    return undefined;
  } finally {
    stopping.done();
  }
}

/** The command line of this process with another option, as a user would type it. */
export function commandWith(option: string, without: readonly string[]): string {
  const words = process.argv.slice(2).filter((word) => !without.includes(word) && word !== option);
  return ["verde", ...words, option].map(quoted).join(" ");
}

const quoted = (word: string): string => (/^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/**
 * For a command whose result is a file: nobody has to read its output. When its reader has gone, the command
 * says so once and continues without output.
 */
function continueWithoutReader(file: string): void {
  let said = false;
  process.stdout.removeAllListeners("error");
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (said) return;
    said = true;
    // Another failure than a reader that has gone leaves the output incomplete, so it is one of the command.
    if (error.code !== "EPIPE") exitWith(EXIT.failure);
    const why =
      error.code === "EPIPE" ? "nobody reads the output any more" : `the output can't be written (${error.message})`;
    reportLine(`verde: ${why}; the run continues and writes ${file}`);
  });
}

/** For a service that keeps running: a signal that comes when the user ends it. */
export function endSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

/** Waits until a signal comes, if it has not come yet. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => (signal.aborted ? done() : signal.addEventListener("abort", () => done())));
