/** Running recorded steps once more, and holding the record to what comes out: what anybody can do who has a trace. */
import { bytesEqual } from "../encoding/bytes.ts";
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import { UsageError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { Execution, namedMetrics } from "./execution.ts";
import { checkpointsOf, metricNames, readCheckpoint, type Trace } from "./open.ts";
import type { StepRecord } from "./records.ts";

export interface CheckedStep {
  /** 0 is the initial state. */
  step: number;
  /** Wall time of this step. */
  seconds: number;
  /** What the trace commits to; absent at steps that it does not commit to. */
  claimed?: StateRoot;
  /** What came out here; absent where there is nothing to compare it to. */
  recomputed?: StateRoot;
  agrees: boolean;
}

/** The first thing that the trace says and that did not come out. */
export interface Mismatch {
  step: number;
  /** Of the state after the step. */
  roots?: { claimed: StateRoot; recomputed: StateRoot };
  /** The roots agree, or none is claimed, and yet the record reports another number. */
  metric?: { name: string; claimed: number; recomputed: number };
}

/** The first operator whose output is not the one that a trace with `--detail operators` claims. */
export interface OperatorMismatch {
  step: number;
  kernel: number;
  label: string;
  claimed: TensorRoot;
  recomputed: TensorRoot;
}

export interface Reexecution {
  /** The step after whose committed state it began; none: it made the initial state itself. */
  start?: number;
  /** The last step that was executed. */
  last: number;
  /** States that were compared with a root. */
  compared: number;
  mismatch?: Mismatch;
}

export interface ReexecutionOptions {
  backend: Backend;
  /** First and last step; 0 is the initial state. Steps before the first are executed too, from the checkpoint before. */
  from: number;
  to: number;
  onStep?(step: CheckedStep): void | Promise<void>;
}

/**
 * Executes a job's steps honestly, whatever fault the trace states, and stops at the first that the trace has otherwise.
 * @param job as `loadClosedJob` gives it for this trace
 * @throws {UsageError} for steps that the trace does not have, {FormatError} when a checkpoint can't be used
 */
export async function reexecute(trace: Trace, job: ClosedJob, options: ReexecutionOptions): Promise<Reexecution> {
  const { backend, from, to, onStep } = options;
  checkRange(trace, from, to);
  const execution = await Execution.open(job, backend);
  try {
    const start = await goBefore(execution, trace, from);
    let compared = 0;
    while (execution.at < to) {
      const began = performance.now();
      if (execution.at < 0) await execution.initialise();
      else await execution.advance();
      const record = trace.records[execution.at];
      const recomputed = record.root && (await rootOf(execution, trace));
      const mismatch = await compare(execution, record, recomputed);
      if (recomputed) compared++;
      const seconds = (performance.now() - began) / 1000;
      await onStep?.({ step: record.step, seconds, claimed: record.root, recomputed, agrees: !mismatch });
      if (mismatch) return { start, last: execution.at, compared, mismatch };
    }
    return { start, last: execution.at, compared };
  } finally {
    await execution.close();
  }
}

/**
 * Looks among the recorded roots of operators for the first that does not come out, from the last state that agrees up to the
 * step of a mismatch.
 * @returns none where the trace has no such roots, or all of them come out: then the state is not the one they make
 */
export async function findOperator(
  trace: Trace,
  job: ClosedJob,
  backend: Backend,
  mismatch: Mismatch,
): Promise<OperatorMismatch | undefined> {
  if (trace.manifest.detail !== "operators") return undefined;
  const agreed = trace.records.slice(0, mismatch.step).findLast(({ root }) => root)?.step ?? -1;
  const execution = await Execution.open(job, backend);
  try {
    await goBefore(execution, trace, agreed + 1);
    while (execution.at < agreed) await (execution.at < 0 ? execution.initialise() : execution.advance());
    while (execution.at < mismatch.step) {
      const step = execution.at + 1;
      const claims = trace.records[step].opRoots ?? [];
      const options = { rootsOf: "all" } as const;
      const { roots } = await (step === 0 ? execution.initialise(options) : execution.advance(options));
      for (const [kernel, recomputed] of roots) {
        if (bytesEqual(claims[kernel], recomputed)) continue;
        const graph = step === 0 && job.init.kind === "graph" ? job.init.graph : job.step;
        return { step, kernel, label: graph.labels[kernel], claimed: claims[kernel], recomputed };
      }
    }
    return undefined;
  } finally {
    await execution.close();
  }
}

function checkRange({ records, path }: Trace, from: number, to: number): void {
  const last = records.length - 1;
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= last) return;
  throw new UsageError(
    "STEPS",
    last < 0
      ? `${path} has no steps yet`
      : `steps ${from} to ${to} are not in ${path}; it has steps 0 to ${last}, from the first to the last`,
    { from, to, last },
  );
}

/** Takes the nearest state before a step that a checkpoint holds; gives its step. None: the initial state comes next. */
async function goBefore(execution: Execution, trace: Trace, step: number): Promise<number | undefined> {
  const checkpoint = (await checkpointsOf(trace)).findLast((candidate) => candidate < step);
  if (checkpoint !== undefined) await execution.restore(checkpoint, await readCheckpoint(trace, checkpoint));
  return checkpoint;
}

/** A job that begins with a checkpoint has said which: the one beside the trace is held to that, not to itself. */
async function rootOf(execution: Execution, trace: Trace): Promise<StateRoot> {
  const { init } = trace.manifest.outline;
  return execution.at === 0 && init.kind === "checkpoint" ? init.root : execution.stateRoot();
}

async function compare(
  execution: Execution,
  { step, root: claimed, metrics }: StepRecord,
  recomputed: StateRoot | undefined,
): Promise<Mismatch | undefined> {
  if (claimed && recomputed && !bytesEqual(claimed, recomputed)) return { step, roots: { claimed, recomputed } };
  const bits = await execution.metrics();
  const at = bits.findIndex((value, i) => value !== metrics[i]);
  if (at < 0) return undefined;
  const names = metricNames(execution.job);
  const value = (from: readonly number[]): number => namedMetrics(names, from)[names[at]];
  return { step, metric: { name: names[at], claimed: value(metrics), recomputed: value(bits) } };
}
