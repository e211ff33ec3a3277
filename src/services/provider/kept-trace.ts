/** The trace of a task as it is on the disk: whole, cut by whatever ended its run, or damaged. */
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { FormatError, RunError } from "../../errors/index.ts";
import { clauseOf } from "../../settlement/game/fate.ts";
import { openTrace, type Trace } from "../../trace/index.ts";
import { writerOf } from "../../trace/folder.ts";
import { dataFolder } from "../../trace/source.ts";

/**
 * Opens a trace, and has its run begun or continued if it is not complete. A trace that can't be read and
 * can't be continued is moved aside, and the run begins again: the same job has the same root.
 * @param path of the trace
 * @param run begins the run, or continues what is there
 * @param say is told what is wrong with the trace, and where it was moved
 * @throws {RunError} when the run ends before its trace is finished
 */
export async function completeTrace(
  path: string,
  run: () => Promise<void>,
  say: (sentence: string) => void,
): Promise<Trace> {
  const kept = await keptTrace(path, say);
  if (kept?.complete) return kept;
  try {
    await run();
  } catch (error) {
    if (!(await isBeyondResuming(path, error))) throw error;
    await moveAside(path, say);
    await run();
  }
  return openTrace(path);
}

/** The trace that is there; `undefined` if there is none, or no trace can be read from the file. */
async function keptTrace(path: string, say: (sentence: string) => void): Promise<Trace | undefined> {
  if (!existsSync(path)) return undefined;
  try {
    return await openTrace(path);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    say(`${clauseOf(error)}; its run is continued`);
    return undefined;
  }
}

/** Whether a run gave up by itself, nobody else writes its trace, and the trace can't be read. */
async function isBeyondResuming(path: string, error: unknown): Promise<boolean> {
  const gaveUp = error instanceof RunError && typeof error.evidence?.code === "number";
  if (!gaveUp || !existsSync(path) || (await writerOf(path)) !== undefined) return false;
  return openTrace(path).then(
    () => false,
    (failure: unknown) => failure instanceof FormatError,
  );
}

/** What was moved aside before is removed. */
async function moveAside(path: string, say: (sentence: string) => void): Promise<void> {
  const aside = path.replace(/(\.trace)?$/, ".damaged.trace");
  for (const [from, to] of [
    [path, aside],
    [dataFolder(path), dataFolder(aside)],
  ]) {
    await rm(to, { recursive: true, force: true });
    if (existsSync(from)) await rename(from, to);
  }
  say(`${path} can't be continued; it is kept as ${aside}, and the run begins again`);
}
