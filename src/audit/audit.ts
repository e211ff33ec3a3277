/**
 * An audit: steps of a run are executed again, and the states are compared with what the run commits to. It
 * needs the trace and its data, and no opponent.
 */
import { type Bytes, bytesEqual, toHex } from "../encoding/bytes.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { DisputeError, UsageError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { type RunRoot, segmentCount, stepsOfSegment } from "../trace/commitments.ts";
import { expectComplete, type Trace } from "../trace/open.ts";
import {
  type CheckedStep,
  findOperator,
  type Mismatch,
  type OperatorMismatch,
  reexecuteRanges,
  type StepRange,
} from "../trace/reexecute.ts";
import { sampledSegments } from "./sample.ts";

/** Which steps an audit is about. */
export type Scope =
  | { readonly kind: "all" }
  /** Training steps, both ends included; 0 is the initial state. */
  | { readonly kind: "steps"; readonly from: number; readonly to: number }
  /** Leaves of the segment tree, drawn from the run root and the beacon. */
  | { readonly kind: "sample"; readonly count: number; readonly beacon: Bytes };

/**
 * What of a run its steps do not reproduce: the state after a step, or a number that is reported of a step,
 * which the run root does not bind unless that state is committed to. At least one of the two.
 */
export interface Finding {
  /** The first step whose state differs from its root. Absent a root, the step of the number. */
  readonly step: number;
  readonly roots?: { readonly claimed: StateRoot; readonly recomputed: StateRoot };
  /** The first number that differs, at or before that step. */
  readonly metric?: {
    readonly step: number;
    readonly name: string;
    readonly claimed: number;
    readonly recomputed: number;
  };
  /** The first operator whose recorded root differs; only traces with `--detail operators` have these. */
  readonly operator?: OperatorMismatch;
}

/** What an audit has executed, and what it found. */
export interface Audit {
  readonly scope: Scope;
  /** The steps that the scope names, as ranges in order. */
  readonly ranges: readonly StepRange[];
  /** The number of steps in these ranges. */
  readonly covered: number;
  /** The number of steps that were executed: from the checkpoints to the ranges, and in them. */
  readonly executed: number;
  /** The number of states that were compared with a root of the trace. */
  readonly compared: number;
  /** Absent: everything in the scope holds. */
  readonly finding?: Finding;
}

/** How an audit is carried out. */
export interface AuditOptions {
  scope: Scope;
  backend: Backend;
  /** Called after each step that was executed. */
  onStep?(step: CheckedStep): void | Promise<void>;
}

/** The numbers of a run that decide which steps a scope names. */
export interface RunShape {
  /** The run root, 32 bytes. */
  readonly run: Bytes;
  /** Training steps of the run, and in one of its segments. */
  readonly steps: number;
  readonly commitEvery: number;
}

export function shapeOf({ runRoot, manifest }: Trace & { runRoot: RunRoot }): RunShape {
  return { run: runRoot, steps: manifest.outline.steps, commitEvery: manifest.commitEvery };
}

/**
 * The steps that a scope names, as ranges in order without a step in common. States inside of a segment are
 * not committed to, so a range ends where its last segment does.
 * @throws {UsageError} for steps that the run does not have, or a sample that is out of range
 */
export function rangesOf({ run, steps, commitEvery }: RunShape, scope: Scope): StepRange[] {
  if (scope.kind === "all") return [{ from: 0, to: steps }];
  if (scope.kind === "steps") {
    const { from, to } = scope;
    if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > to || to > steps)
      throw new UsageError("STEPS", `steps ${from} to ${to} are not in the run; it has steps 0 to ${steps}`, {
        from,
        to,
        last: steps,
      });
    return [{ from, to: Math.min(Math.ceil(to / commitEvery) * commitEvery, steps) }];
  }
  const ranges: { from: number; to: number }[] = [];
  for (const segment of sampledSegments(run, scope.beacon, segmentCount(steps, commitEvery), scope.count)) {
    const { first, last } = stepsOfSegment(segment, steps, commitEvery);
    const before = ranges.at(-1);
    if (before !== undefined && before.to === first - 1) before.to = last;
    else ranges.push({ from: first, to: last });
  }
  return ranges;
}

export function countSteps(ranges: readonly StepRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/**
 * Executes the steps of a scope, honestly, whatever fault the trace states, up to the first that differs.
 * @param job as `loadClosedJob` gives it for this trace
 * @throws {FormatError} when the trace is not finished, or a checkpoint can't be used
 * @throws {UsageError} for steps that the trace does not have, or a sample that is out of range
 */
export async function audit(trace: Trace, job: ClosedJob, { scope, backend, onStep }: AuditOptions): Promise<Audit> {
  const ranges = rangesOf(shapeOf(expectComplete(trace)), scope);
  const options = { backend, ...(onStep && { onStep }) };
  const { executed, compared, mismatch } = await reexecuteRanges(trace, job, ranges, options);
  const found = { scope, ranges, covered: countSteps(ranges), executed, compared };
  return mismatch ? { ...found, finding: await findingOf(trace, job, mismatch, options) } : found;
}

async function findingOf(
  trace: Trace,
  job: ClosedJob,
  mismatch: Mismatch,
  options: Omit<AuditOptions, "scope">,
): Promise<Finding> {
  const { step } = mismatch;
  const metric = mismatch.metric && { step, ...mismatch.metric };
  const rooted = mismatch.roots ? mismatch : await nextRoot(trace, job, mismatch, options);
  if (!rooted?.roots) return { step, ...(metric && { metric }) };
  const operator = await findOperator(trace, job, options.backend, rooted);
  return { step: rooted.step, roots: rooted.roots, ...(metric && { metric }), ...(operator && { operator }) };
}

/** A wrong number alone is not in the claim. The next state that is committed to may be. */
async function nextRoot(
  trace: Trace,
  job: ClosedJob,
  { step }: Mismatch,
  options: Omit<AuditOptions, "scope">,
): Promise<Mismatch | undefined> {
  const { outline, commitEvery } = trace.manifest;
  const to = Math.min(Math.ceil(step / commitEvery) * commitEvery, outline.steps);
  return (await reexecuteRanges(trace, job, [{ from: step, to }], { ...options, metrics: false })).mismatch;
}

/**
 * Whether two audits of one scope found the same.
 * @throws {DisputeError} when they did not; the message names both results
 */
export function expectSameFinding(stated: Finding | undefined, found: Finding | undefined): void {
  const same =
    stated?.step === found?.step &&
    equalRoots(stated?.roots?.claimed, found?.roots?.claimed) &&
    equalRoots(stated?.roots?.recomputed, found?.roots?.recomputed);
  if (same) return;
  throw new DisputeError(
    "VERDICT_ALTERED",
    `the receipt says that ${inWords(stated)}, but executing the same steps here shows that ${inWords(found)}; do not rely on the receipt`,
    { expected: stated?.step ?? null, found: found?.step ?? null },
  );
}

const equalRoots = (a: Bytes | undefined, b: Bytes | undefined): boolean =>
  a === undefined || b === undefined ? a === b : bytesEqual(a, b);

/** `the state after training step 7 is 0x…, not 0x… as claimed`, or `all of them hold`. */
export function inWords(finding: Finding | undefined): string {
  if (!finding) return "all of them hold";
  const { step, roots, metric } = finding;
  const after = step === 0 ? "the initial state" : `the state after training step ${step}`;
  if (roots) return `${after} is ${toHex(roots.recomputed)}, not ${toHex(roots.claimed)} as claimed`;
  return `${metric!.name} of step ${metric!.step} is ${metric!.recomputed}, not ${metric!.claimed} as recorded`;
}
