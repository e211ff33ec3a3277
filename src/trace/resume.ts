/** Whether an unfinished trace can be continued, and from where. */
import { bytesEqual } from "../encoding/bytes.ts";
import { JobError, VerdeError } from "../errors/index.ts";
import { openFile } from "../formats/file.ts";
import type { NamedTensor } from "../job/closed.ts";
import { formatFault } from "./fault.ts";
import { openTrace } from "./folder.ts";
import { openingOf, type StepRecord, type Tail } from "./records.ts";
import type { Manifest, RunSettings } from "./manifest.ts";
import { checkpointsOf, readCheckpoint, type Trace } from "./open.ts";

/** What a finished run tells of each of its steps. */
export type StepReport = Pick<StepRecord, "root" | "metrics">;

export interface ResumePoint {
  step: number;
  state: NamedTensor[];
  /** What the records up to this step's say. */
  reports: StepReport[];
  /** Where they end in the file. */
  tail: Tail;
}

/**
 * The newest checkpoint that agrees with the trace. Damaged checkpoints are passed over. Without any, the run
 * starts again from the beginning.
 * @throws {JobError} when the trace belongs to another run, {FormatError} when it is altered
 */
export async function findResumePoint(path: string, wanted: Manifest): Promise<ResumePoint | undefined> {
  if (await isCutInOpening(path, wanted)) return undefined;
  const trace = await openTrace(path);
  checkSameRun(trace, wanted);
  for (const step of (await checkpointsOf(trace)).reverse()) {
    const state = await readCheckpoint(trace, step).catch((error: unknown) => {
      if (error instanceof VerdeError) return undefined;
      throw error;
    });
    if (!state) continue;
    const reports: StepReport[] = [];
    for await (const { root, metrics } of trace.records(0, step)) reports.push({ metrics, ...(root && { root }) });
    return { step, state, reports, tail: await trace.tailOf(step) };
  }
  return undefined;
}

/**
 * The run was stopped before it had written its manifest. No other file begins like this, so nothing is lost.
 */
async function isCutInOpening(path: string, wanted: Manifest): Promise<boolean> {
  const { bytes } = openingOf(wanted);
  const file = await openFile(path);
  try {
    if (file.size >= bytes.length) return false;
    const data = await file.read(0, file.size);
    return bytesEqual(data, bytes.subarray(0, data.length));
  } finally {
    await file.close();
  }
}

/** @throws {JobError} when the runs differ; the message names the first difference */
function checkSameRun(trace: Trace, wanted: Manifest): void {
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
    if (manifest[field] !== wanted[field]) differs(field, manifest[field], wanted[field]);
  const fault = (settings: RunSettings): string => (settings.fault ? formatFault(settings.fault) : "none");
  if (fault(manifest) !== fault(wanted)) differs("fault", fault(manifest), fault(wanted));
}
