/** Where in a job's own code an error came from. */
import { childProcess, fs, path as paths, url } from "../encoding/node.ts";
import { VerdeError } from "../errors/index.ts";
import { missingMemory } from "../errors/memory.ts";

/** The folder of Verde's own code, as frames of a stack name it. */
const OWN = new URL("..", import.meta.url).href;
/** The frames that are kept of a stack: an operator may lie deep below the line that called it. */
const FRAMES = 100;

/**
 * Runs a job's code. An error is thrown again, with the place in the job's code that led to it.
 * @param other makes the error that is thrown in place of one that is not Verde's own
 */
export async function placed<T>(body: () => Promise<T>, other: (cause: unknown) => VerdeError): Promise<T> {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(limit, FRAMES);
  try {
    return await body();
  } catch (cause) {
    const error = cause instanceof VerdeError ? cause : (missingMemory(cause) ?? other(cause));
    if (error !== cause) error.cause = cause;
    const place = placeOf(cause);
    if (place !== undefined) error.place ??= place;
    throw error;
  } finally {
    Error.stackTraceLimit = limit;
  }
}

/**
 * `job.ts:7:11`: the first place of an error's stack that is neither Verde's code, nor Node's, nor a
 * package's.
 */
function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const [, where] of error.stack.matchAll(
    /^\s+at (?:async )?(?:.* \()?((?:file:\/\/)?\/?[^()\s][^()\n]*:\d+:\d+)\)?$/gm,
  )) {
    const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(where)!;
    if (file.startsWith("node:") || /[\\/]node_modules[\\/]/.test(file)) continue;
    const address = file.startsWith("file:") ? file : url.pathToFileURL(file).href;
    if (address.startsWith(OWN)) continue;
    return `${shown(url.fileURLToPath(address))}:${line}:${column}`;
  }
  return undefined;
}

/**
 * The place of a syntax error. Node knows it and does not always say it in the error: then Node is asked to
 * check the file alone.
 */
export async function syntaxPlace(error: unknown, file: string): Promise<string | undefined> {
  if (!(error instanceof SyntaxError)) return undefined;
  return excerptPlace(error.stack ?? "") ?? excerptPlace(await checkOf(file));
}

/** The place at the head of an excerpt: a line `FILE:7`, the code, and marks below the wrong part of it. */
function excerptPlace(text: string): string | undefined {
  const [first, ...rest] = text.split("\n");
  const [, file, line] = /^(.+):(\d+)$/.exec(first) ?? [];
  if (file === undefined) return undefined;
  const marks = rest.find((each) => /^\s*\^+\s*$/.test(each));
  const path = file.startsWith("file:") ? url.fileURLToPath(file) : file;
  return `${shown(path)}:${line}${marks === undefined ? "" : `:${marks.indexOf("^") + 1}`}`;
}

async function checkOf(file: string): Promise<string> {
  if (!(await fs.stat(file)).isFile()) return "";
  return new Promise((resolve) => {
    childProcess.execFile(process.execPath, ["--check", file], { timeout: 10_000 }, (_, __, stderr) => resolve(stderr));
  });
}

/** A path as a user writes it: from the working directory, unless it lies outside. */
function shown(file: string): string {
  const relative = paths.relative(process.cwd(), file);
  return relative === "" || relative.startsWith("..") ? file : relative;
}
