/** Where two traces first differ, by what they hold: nothing is executed, and nobody is found wrong. */
import { bytesEqual } from "../encoding/bytes.ts";
import type { LongList } from "../encoding/long-tree.ts";
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import { differingParts } from "../job/difference.ts";
import { stepsOfSegment } from "../trace/commitments.ts";
import { metricNames, namedMetrics } from "../trace/metrics.ts";
import type { Trace } from "../trace/open.ts";
import type { StepRecord } from "../trace/records.ts";
import type { StepRange } from "../trace/reexecute.ts";

/** Roots that are compared at once. */
const PIECE = 4096;

/** What makes two runs incomparable. */
export type OtherSetting = "job" | "commitEvery";

/** What two traces don't have in common; `equal` if that is nothing. */
export interface Difference {
  /** What the runs don't have in common. Then their roots can't be compared. */
  readonly settings: readonly OtherSetting[];
  /** The parts of the job that differ, if the jobs do. */
  readonly job: readonly string[];
  /** The first committed state that differs: after the last step of this range, and not before its first. */
  readonly state?: StepRange & { readonly roots: readonly [StateRoot, StateRoot] };
  /** The first reported number that differs. Without a difference in the states, one of the two is false. */
  readonly metric?: { readonly step: number; readonly name: string; readonly values: readonly [number, number] };
  /** The first operator whose output differs. Only if both traces have `--detail operators`. */
  readonly operator?: {
    readonly step: number;
    readonly kernel: number;
    readonly label: string;
    readonly roots: readonly [TensorRoot, TensorRoot];
  };
  /** How many steps both have recorded, without the initial state. */
  readonly recorded: readonly [number, number];
  readonly equal: boolean;
}

/** @throws {FormatError} when a file was changed since it was opened */
export async function diffTraces(a: Trace, b: Trace): Promise<Difference> {
  const recorded = [a.recorded - 1, b.recorded - 1] as const;
  const settings: OtherSetting[] = [];
  if (!bytesEqual(a.manifest.jobId, b.manifest.jobId)) settings.push("job");
  if (a.manifest.commitEvery !== b.manifest.commitEvery) settings.push("commitEvery");
  if (settings.includes("job"))
    return { settings, job: differingParts(a.manifest.outline, b.manifest.outline), recorded, equal: false };
  // Runs of one job with other segments commit to fewer or more of the same states.
  const state = settings.length === 0 ? await firstState(a, b) : undefined;
  const { metric, operator } = await firstRecord(a, b, state);
  const equal = settings.length === 0 && !state && !metric && !operator && recorded[0] === recorded[1];
  return {
    settings,
    job: [],
    recorded,
    equal,
    ...(state && { state }),
    ...(metric && { metric }),
    ...(operator && { operator }),
  };
}

async function firstState(a: Trace, b: Trace): Promise<Difference["state"]> {
  const leaf = await firstDifferent(a.segmentRoots, b.segmentRoots);
  if (leaf === undefined) return undefined;
  const { outline, commitEvery } = a.manifest;
  const { first: from, last: to } = stepsOfSegment(leaf, outline.steps, commitEvery);
  const [[one], [other]] = await Promise.all([
    a.segmentRoots.slice(leaf, leaf + 1),
    b.segmentRoots.slice(leaf, leaf + 1),
  ]);
  return { from, to, roots: [one, other] };
}

async function firstDifferent(a: LongList<StateRoot>, b: LongList<StateRoot>): Promise<number | undefined> {
  const length = Math.min(a.length, b.length);
  for (let from = 0; from < length; from += PIECE) {
    const to = Math.min(from + PIECE, length);
    const [ones, others] = await Promise.all([a.slice(from, to), b.slice(from, to)]);
    const at = ones.findIndex((root, i) => !bytesEqual(root, others[i]));
    if (at >= 0) return from + at;
  }
  return undefined;
}

/** The first number, and the first operator, up to the first state that differs. */
async function firstRecord(
  a: Trace,
  b: Trace,
  state: Difference["state"],
): Promise<Pick<Difference, "metric" | "operator">> {
  const last = Math.min(a.recorded - 1, b.recorded - 1, state?.to ?? Infinity);
  const names = metricNames(a.manifest.outline);
  const withOperators = a.manifest.detail === "operators" && b.manifest.detail === "operators";
  const found: { -readonly [K in "metric" | "operator"]?: Difference[K] } = {};
  const others = b.records(0, last);
  for await (const one of a.records(0, last)) {
    const other = (await others.next()).value as StepRecord;
    if (!found.metric && one.metrics.some((bits, i) => bits !== other.metrics[i])) {
      const [left, right] = [namedMetrics(names, one.metrics), namedMetrics(names, other.metrics)];
      const name = names.find((_, i) => one.metrics[i] !== other.metrics[i])!;
      found.metric = { step: one.step, name, values: [left[name], right[name]] };
    }
    if (withOperators && !found.operator) found.operator = firstOperator(a, one, other);
    if (found.metric && (found.operator || !withOperators)) break;
  }
  await others.return(undefined);
  return found;
}

function firstOperator(trace: Trace, { step, opRoots: ones = [] }: StepRecord, { opRoots: others = [] }: StepRecord) {
  const kernel = ones.findIndex((root, i) => !bytesEqual(root, others[i]));
  if (kernel < 0) return undefined;
  const { init, step: graph } = trace.manifest.outline;
  const { labels } = step === 0 && init.kind === "graph" ? init.graph : graph;
  return { step, kernel, label: labels[kernel], roots: [ones[kernel], others[kernel]] as const };
}
