/**
 * Executes recorded training steps again and compares the results with the record. Anyone who has a trace can
 * do this.
 */
import { bytesEqual } from "../encoding/bytes.ts";
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import { UsageError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { Execution } from "./execution.ts";
import { metricNames, namedMetrics } from "./metrics.ts";
import { checkpointsOf, restoreCheckpoint, type Trace } from "./open.ts";
import type { StepRecord } from "./records.ts";

export interface CheckedStep {
  /** 0 is the initial state. */
  step: number;
  /** Wall time of this step. */
  seconds: number;
  /** The root that the trace commits to; absent at steps that it does not commit to. */
  claimed?: StateRoot;
  /** The root of this execution; absent where there is nothing to compare it with. */
  recomputed?: StateRoot;
  agrees: boolean;
}

/** The first statement of the trace that re-execution does not reproduce. */
export interface Mismatch {
  step: number;
  /** The roots of the state after the step. */
  roots?: { claimed: StateRoot; recomputed: StateRoot };
  /** The roots agree, or none is claimed, but the record reports another number. */
  metric?: { name: string; claimed: number; recomputed: number };
}

/** The first operator whose output differs from the one that a trace with `--detail operators` claims. */
export interface OperatorMismatch {
  step: number;
  kernel: number;
  label: string;
  claimed: TensorRoot;
  recomputed: TensorRoot;
}

export interface Reexecution {
  /** Execution started from the committed state after this step. Absent: it made the initial state itself. */
  start?: number;
  /** The last step that was executed. */
  last: number;
  /** The number of training steps that were executed, and 1 for an initial state that was made. */
  executed: number;
  /** The number of states that were compared with a root. */
  compared: number;
  mismatch?: Mismatch;
}

/**
 * First and last step; 0 is the initial state. Steps before the first are executed too, from the checkpoint
 * before.
 */
export interface StepRange {
  from: number;
  to: number;
}

interface CommonOptions {
  backend: Backend;
  /** Whether the numbers that the trace reports are compared too. Default true. */
  metrics?: boolean;
  onStep?(step: CheckedStep): void | Promise<void>;
}

export interface ReexecutionOptions extends CommonOptions, StepRange {}

/**
 * Executes a job's training steps honestly, whatever fault the trace states, and stops at the first step
 * whose result differs from the trace.
 * @param job as `loadClosedJob` gives it for this trace
 * @throws {UsageError} for steps that the trace does not have, {FormatError} when a checkpoint can't be used
 */
export async function reexecute(trace: Trace, job: ClosedJob, options: ReexecutionOptions): Promise<Reexecution> {
  const { from, to, ...common } = options;
  return reexecuteRanges(trace, job, [{ from, to }], common);
}

/**
 * The same for several ranges, with one execution. Between two ranges it continues from its present state, or
 * from a checkpoint that is nearer.
 * @param ranges in order, without a step in common
 * @throws {UsageError} for steps that the trace does not have, {FormatError} when a checkpoint can't be used
 */
export async function reexecuteRanges(
  trace: Trace,
  job: ClosedJob,
  ranges: readonly StepRange[],
  { backend, metrics = true, onStep }: CommonOptions,
): Promise<Reexecution> {
  for (const { from, to } of ranges) checkRange(trace, from, to);
  const checkpoints = await checkpointsOf(trace);
  const execution = await Execution.open(job, backend);
  let start: number | undefined;
  let [executed, compared] = [0, 0];
  try {
    for (const [i, { from, to }] of ranges.entries()) {
      const nearest = nearestBefore(checkpoints, from);
      if (nearest !== undefined && nearest > execution.at) await restoreCheckpoint(execution, trace, nearest);
      if (i === 0) start = nearest;
      for await (const record of trace.records(execution.at + 1, to)) {
        const began = performance.now();
        if (execution.at < 0) await execution.initialise();
        else await execution.advance();
        executed++;
        const recomputed = record.root && (await rootOf(execution, trace));
        const mismatch = await compare(execution, record, recomputed, metrics);
        if (recomputed) compared++;
        const seconds = (performance.now() - began) / 1000;
        await onStep?.({ step: record.step, seconds, claimed: record.root, recomputed, agrees: !mismatch });
        if (mismatch) return { start, last: execution.at, executed, compared, mismatch };
      }
    }
    return { start, last: execution.at, executed, compared };
  } finally {
    await execution.close();
  }
}

/**
 * Looks for the first recorded root of an operator that re-execution does not reproduce, from the last state
 * that agrees up to the step of a mismatch.
 * @returns nothing when the trace has no such roots, or when all of them are reproduced: then the recorded
 * state is not the one that these outputs make
 */
export async function findOperator(
  trace: Trace,
  job: ClosedJob,
  backend: Backend,
  mismatch: Mismatch,
): Promise<OperatorMismatch | undefined> {
  if (trace.manifest.detail !== "operators") return undefined;
  const { commitEvery } = trace.manifest;
  const agreed = mismatch.step === 0 ? -1 : Math.floor((mismatch.step - 1) / commitEvery) * commitEvery;
  const execution = await Execution.open(job, backend);
  try {
    await goBefore(execution, trace, agreed + 1);
    while (execution.at < agreed) await (execution.at < 0 ? execution.initialise() : execution.advance());
    for await (const { step, opRoots: claims = [] } of trace.records(agreed + 1, mismatch.step)) {
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

function checkRange({ recorded, path }: Trace, from: number, to: number): void {
  const last = recorded - 1;
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= last) return;
  throw new UsageError(
    "STEPS",
    last < 0
      ? `${path} has no steps yet`
      : `steps ${from} to ${to} are not in ${path}; it has steps 0 to ${last}, from the first to the last`,
    { from, to, last },
  );
}

const nearestBefore = (checkpoints: readonly number[], step: number): number | undefined =>
  checkpoints.findLast((candidate) => candidate < step);

/** Restores the nearest checkpoint before a step. If there is none, the initial state is next. */
export async function goBefore(execution: Execution, trace: Trace, step: number): Promise<void> {
  const checkpoint = nearestBefore(await checkpointsOf(trace), step);
  if (checkpoint !== undefined) await restoreCheckpoint(execution, trace, checkpoint);
}

/**
 * A job that starts from a checkpoint states its root. The file next to the trace is compared with it, not
 * with itself.
 */
async function rootOf(execution: Execution, trace: Trace): Promise<StateRoot> {
  const { init } = trace.manifest.outline;
  return execution.at === 0 && init.kind === "checkpoint" ? init.root : execution.stateRoot();
}

async function compare(
  execution: Execution,
  { step, root: claimed, metrics }: StepRecord,
  recomputed: StateRoot | undefined,
  withMetrics: boolean,
): Promise<Mismatch | undefined> {
  if (claimed && recomputed && !bytesEqual(claimed, recomputed)) return { step, roots: { claimed, recomputed } };
  if (!withMetrics) return undefined;
  const bits = await execution.metrics();
  const at = bits.findIndex((value, i) => value !== metrics[i]);
  if (at < 0) return undefined;
  const names = metricNames(execution.job);
  const value = (from: readonly number[]): number => namedMetrics(names, from)[names[at]];
  return { step, metric: { name: names[at], claimed: value(metrics), recomputed: value(bits) } };
}
