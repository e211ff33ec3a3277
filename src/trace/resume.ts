/** Whether an unfinished trace can be continued, and from where. */
import { type Bytes, bytesEqual, Reader } from "../encoding/bytes.ts";
import { JobError, messageOf, UsageError, VerdeError } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { openFile } from "../formats/file.ts";
import type { NamedTensor } from "../job/closed.ts";
import { formatFault } from "./fault.ts";
import { folderSource } from "./folder.ts";
import { HEAD, MAGIC, openingOf, TAIL, type StepRecord, type Tail } from "./records.ts";
import type { Manifest, RunSettings } from "./manifest.ts";
import type { Planned } from "./settings.ts";
import { checkpointsOf, readCheckpoint, type RootOf, scanTrace, stopsOf, type Trace } from "./open.ts";
import { dataFolder, stepOfStopped } from "./source.ts";

/** The manifest of a run before its first step. */
export type Wanted = Planned & Pick<Manifest, "outline" | "jobId">;

/** What a finished run tells of each of its steps. */
export type StepReport = Pick<StepRecord, "root" | "metrics">;

export interface ResumePoint {
  step: number;
  state: NamedTensor[];
  /** What the records up to this step's say. */
  reports: StepReport[];
  /** Where they end in the file. */
  tail: Tail;
  manifest: Manifest;
  /** The trace has its end record, and this is its last state: there is nothing to write to it. */
  finished: boolean;
  /** What is wrong with newer states and later records, which were passed over. */
  damage: string[];
}

export interface ResumeOptions {
  /**
   * Continue from an earlier state than the trace has reached, or from none, even if this drops what can't be
   * read any more.
   */
  force: boolean;
  /** Drop what follows the first damaged record; default: that is an error. */
  cut?: boolean | undefined;
  /** Hashes states. */
  rootOf?: RootOf | undefined;
}

/**
 * The newest state that agrees with the trace: a checkpoint, or what was kept when the run was stopped.
 * Damaged files are passed over.
 * @returns `undefined` where nothing is lost by beginning again, or `force` says so
 * @throws {JobError} when the trace belongs to another run, {FormatError} when it is altered
 * @throws {UsageError} when its records would be dropped
 */
export async function findResumePoint(
  path: string,
  wanted: Wanted,
  { force, cut = false, rootOf }: ResumeOptions,
): Promise<ResumePoint | undefined> {
  if (await isCutInOpening(path, wanted)) return undefined;
  const { trace, problem } = await scanTrace(folderSource(path));
  if (problem && !cut) throw problem;
  checkSameRun(trace, wanted);
  const damage = problem ? [problem.message] : [];
  const beyond = (await trace.source.names()).map((name) => stepOfStopped(name) ?? 0).filter((step) => step >= trace.recorded); // prettier-ignore
  if (beyond.length > 0) damage.push(`${path} ends before step ${Math.max(...beyond)}, whose state was kept`);
  const found = await newestState(trace, damage, rootOf);
  const last = trace.recorded - 1;
  if (!force && trace.complete && found?.step !== last) throw dropped(trace, "it is finished", found?.step);
  // The initial state alone is soon made again.
  if (!force && !found && last > 0) throw dropped(trace, `it has ${last} training steps`);
  if (!found) return undefined;
  const { step, state } = found;
  const reports: StepReport[] = [];
  for await (const { root, metrics } of trace.records(0, step)) reports.push({ metrics, ...(root && { root }) });
  const { manifest } = trace;
  const tail = await trace.tailOf(step);
  return { step, state, reports, tail, manifest, finished: trace.complete && step === last, damage };
}

/** @param damage is told what is wrong with newer ones */
async function newestState(
  trace: Trace,
  damage: string[],
  rootOf?: RootOf,
): Promise<{ step: number; state: NamedTensor[] } | undefined> {
  const steps = await checkpointsOf(trace);
  const checkpoints = steps.map((step) => ({ step, read: () => readCheckpoint(trace, step, rootOf) }));
  const stops = await stopsOf(trace, rootOf);
  for (const { step, read } of [...checkpoints, ...stops].sort((a, b) => b.step - a.step)) {
    const state = await read().catch((error: unknown) => {
      if (!(error instanceof VerdeError)) throw error;
      damage.push(messageOf(error));
      return undefined;
    });
    if (state) return { step, state };
  }
  return undefined;
}

function dropped({ path, recorded }: Trace, what: string, from?: number): UsageError {
  const lost = from === undefined ? "no checkpoint is left" : `the newest checkpoint that is left is of step ${from}`;
  const then = from === undefined ? "begins again" : `runs the steps after ${from} again`;
  return new UsageError(
    "EXISTS",
    `${path} can't be continued: ${what}, but ${lost} in ${dataFolder(path)}; restore the folder, or add --force, which drops the records and ${then}`,
    { path, recorded: recorded - 1, checkpoint: from ?? null },
  );
}

/**
 * The run was stopped before it had written its manifest. No other file begins like this, so nothing is lost.
 */
async function isCutInOpening(path: string, wanted: Wanted): Promise<boolean> {
  const file = await openFile(path);
  try {
    const { bytes } = openingOf({ ...wanted, checkpointEvery: wanted.checkpointEvery ?? 0 });
    if (wanted.checkpointEvery !== undefined) return file.size < bytes.length && (await isBeginning(file, bytes));
    // The number that it would have is not known. It has up to 4 bytes more than here.
    if (file.size >= bytes.length + 4 || !(await isBeginning(file, MAGIC))) return false;
    if (file.size < MAGIC.length + HEAD) return true;
    const content = new Reader(await file.read(MAGIC.length, 4), path).u32();
    return file.size < MAGIC.length + HEAD + content + TAIL;
  } finally {
    await file.close();
  }
}

/** Whether a file is the beginning of what it should be. */
async function isBeginning(file: ByteSource, whole: Bytes): Promise<boolean> {
  const data = await file.read(0, Math.min(file.size, whole.length));
  return bytesEqual(data, whole.subarray(0, data.length));
}

/** @throws {JobError} when the runs differ; the message names the first difference */
function checkSameRun(trace: Trace, wanted: Wanted): void {
  const { manifest, path } = trace;
  const differs = (what: string, there: unknown, here: unknown): never => {
    throw new JobError(
      "FOREIGN",
      `${path} can't be resumed: its ${what} is ${there}, but this run's is ${here}; use the settings of the trace, or another --out`,
      { what, expected: there, found: here },
    );
  };
  if (!bytesEqual(manifest.jobId, wanted.jobId)) {
    for (const field of ["name", "steps"] as const)
      if (manifest.outline[field] !== wanted.outline[field])
        differs(field, manifest.outline[field], wanted.outline[field]);
    throw new JobError(
      "FOREIGN",
      `${path} can't be resumed: it belongs to another job; use the same module, options, data and seed`,
    );
  }
  for (const field of ["commitEvery", "checkpointEvery", "detail", "backend"] as const)
    if (!wanted.auto.includes(field as "commitEvery") && manifest[field] !== wanted[field])
      differs(field, manifest[field], wanted[field]);
  const fault = (settings: Pick<RunSettings, "fault">): string =>
    settings.fault ? formatFault(settings.fault) : "none";
  if (fault(manifest) !== fault(wanted)) differs("fault", fault(manifest), fault(wanted));
}
