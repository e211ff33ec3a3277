/** Executes leaves: one prepared execution for each template, which takes one job after the other. */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { stateRoot, type StateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import { type ClosedJob, jobIdOf, type JobOutline, partsOf } from "../job/closed.ts";
import { replayedMemory, type TraceMemory } from "../referee/trace-memory.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { openExecution } from "../trace/drill/faulty.ts";
import { type AnyExecution, Execution } from "../trace/execution.ts";
import { metricNames, namedMetrics } from "../trace/metrics.ts";
import { firstInvalid } from "../repops/numbers/elements.ts";
import { canonBits } from "../repops/numbers/vf32.ts";
import { Observations } from "../trace/observations.ts";
import { Replayer } from "../trace/replay.ts";
import { divergedError } from "../trace/stopped.ts";
import { eventsPass } from "../trace/turns.ts";
import { drilled, type LeafFault } from "./fault.ts";
import { type LeafCheckpoints, LeafTrace } from "./leaf-trace.ts";
import {
  type LeafClaim,
  leafRoot,
  type LeafPlace,
  outlineOfLeaf,
  ownList,
  type Plan,
  segmentOf,
  templateOf,
} from "./plan.ts";
import type { JobTemplate } from "./template.ts";

/** The final state of a leaf that another one reads. */
export interface SourceState {
  readonly roots: readonly TensorRoot[];
  readonly tensors: readonly Tensor[];
  /** Whether its member was away in the round that is read, and this is what it had made last. */
  readonly absent?: boolean;
}

/** A leaf that was executed. */
export interface ExecutedLeaf extends LeafClaim {
  /** The roots of the final state's entries, and the entries. */
  readonly roots: readonly TensorRoot[];
  readonly state: readonly Tensor[];
  /** The metrics after each step, by name; empty for turns without steps. */
  readonly metrics: readonly Record<string, number>[];
}

interface LeafOptions {
  readonly origin?: Bytes | undefined;
  readonly fault?: LeafFault | undefined;
  readonly stop?: boolean;
  readonly checkpoints?: LeafCheckpoints | undefined;
}

/**
 * Whether the trace of a leaf says which fault it has. What is read in another way is in its job; what is
 * done to its state is not.
 */
const isTraceable = (fault: LeafFault | undefined): boolean => fault?.kind !== "steps" && fault?.kind !== "message";

/** Tensors as jobs read them, by the tensors that were handed on. */
const readable = new WeakMap<Tensor, Tensor>();

/**
 * A tensor as a job reads it: bits that are no vf32, which a liar may have handed on, pass `canon` (spec
 * 7.5). Backends expect that of their inputs.
 */
function asRead(tensor: Tensor): Tensor {
  if (tensor.dtype !== "f32") return tensor;
  const known = readable.get(tensor);
  if (known) return known;
  const words = new Uint32Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length);
  const read =
    firstInvalid("f32", words) < 0 ? tensor : { ...tensor, data: new Float32Array(words.map(canonBits).buffer) };
  readable.set(tensor, read);
  return read;
}

/** The same job with its data as it is read. */
const jobAsRead = (job: ClosedJob): ClosedJob => ({
  ...job,
  dataset: job.dataset.map((tensor) => ({ ...tensor, data: asRead(tensor).data })),
});

/**
 * The job of a leaf with its data.
 * @param origin 32 bytes from which the round's seeds follow; default: the plan's id
 */
export function jobOfLeaf(
  plan: Plan,
  place: LeafPlace,
  sources: readonly SourceState[],
  origin?: Bytes,
): { job: ClosedJob; outline: JobOutline } {
  const template = templateOf(plan, place);
  const own = ownList(
    plan,
    place,
    sources.map(({ absent }) => (absent ? 0 : 1)),
    origin,
  );
  const roots = [...sources.flatMap((source) => source.roots), ...own.roots];
  const tensors: Tensor[] = [...sources.flatMap((source) => source.tensors), ...own.tensors];
  const names = template.step.inputs.slice(template.step.outputs.length);
  const outline = outlineOfLeaf(template, roots);
  const { name, steps, step, unit, lists } = outline;
  const dataset = tensors.map((tensor, i) => ({ ...tensor, name: names[i].name }));
  return { outline, job: { name, steps, step, unit, dataset, ...(lists && { lists }), init: { kind: "graph", graph: template.init } } }; // prettier-ignore
}

/** Executes leaves on one backend. */
export class LeafRunner {
  private readonly backend: Backend;
  private readonly open = new Map<JobTemplate, Execution>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /**
   * Executes a leaf's job from its sources.
   * @param options.origin 32 bytes from which the round's seeds follow; default: the plan's id
   * @param options.fault of a drill; then what it commits to is wrong
   * @param options.checkpoints where its states are kept until it is done, and from where it continues; the
   *   result has the same bits
   * @param options.stop whether it stops when training has diverged, or a label is no class: a participant
   *   does that, but a leaf that reads what a liar has made has its bits all the same
   * @throws {RunError | ValueError} with `stop`
   */
  async run(
    plan: Plan,
    place: LeafPlace,
    sources: readonly SourceState[],
    { origin, fault, stop = false, checkpoints }: LeafOptions = {},
  ): Promise<ExecutedLeaf> {
    const { job, outline } = jobOfLeaf(plan, place, sources, origin);
    const template = templateOf(plan, place);
    const read = jobAsRead(job);
    const execution = fault ? await this.faulty(read, fault) : await this.honest(template, read);
    const observed = new Observations();
    const metrics: Record<string, number>[] = [];
    const names = metricNames(job);
    const jobId = jobIdOf(partsOf(outline));
    const measured = (bits: readonly number[]): void => {
      metrics.push(namedMetrics(names, bits));
      observed.measured(metrics.length, metrics[metrics.length - 1]);
    };
    const isTraced = checkpoints && job.steps > 0 && isTraceable(fault);
    const manifest = { outline, jobId, commitEvery: segmentOf(template), backend: this.backend.name, ...(fault?.kind === "flip" && { fault }) }; // prettier-ignore
    const { trace, before } = isTraced ? await LeafTrace.open(checkpoints, manifest, read, execution) : {};
    try {
      let start = before?.start;
      before?.metrics.forEach(measured);
      if (start === undefined) {
        const begun = await execution.initialise();
        observed.executed(0, begun, template.init, !stop);
        const roots = await execution.entryRoots();
        start = stateRoot(roots);
        if (trace) await trace.step(execution, await execution.metrics(), roots);
      }
      while (execution.at < job.steps) {
        // A process whose recorder has gone ends here.
        if (checkpoints) await eventsPass();
        observed.executed(execution.at + 1, await execution.advance(), job.step, !stop);
        const bits = await execution.metrics();
        measured(bits);
        if (stop && observed.divergence)
          throw divergedError({ step: execution.at, steps: job.steps }, observed.divergence);
        await trace?.step(execution, bits);
      }
      const roots = await execution.entryRoots();
      const state = await execution.state();
      return { job: jobId, start, end: stateRoot(roots), roots, state, metrics };
    } finally {
      await trace?.close();
      if (fault) await execution.close();
    }
  }

  /**
   * What a party knows about its leaf, for a dispute: it executes the leaf again, with the fault that it has.
   */
  async memory(
    plan: Plan,
    place: LeafPlace,
    sources: readonly SourceState[],
    claim: LeafClaim,
    fault?: LeafFault,
    origin?: Bytes,
  ): Promise<TraceMemory> {
    const { job, outline } = jobOfLeaf(plan, place, sources, origin);
    const template = templateOf(plan, place);
    const read = jobAsRead(job);
    const execution = fault ? await this.faulty(read, fault) : await Execution.open(read, this.backend);
    const { start, end } = claim;
    const roots: StateRoot[] = job.steps > 0 ? [start, end] : [end];
    const commitEvery = segmentOf(template);
    // Any fault says that the leaf is a drill's: then its trees contradict each other, and it says them all
    // the same.
    const drill = fault && ({ kind: "skip", step: 1 } as const);
    const manifest = { outline, jobId: claim.job, commitEvery, checkpointEvery: 0, detail: "steps" as const, backend: this.backend.name, ...(drill && { fault: drill }) }; // prettier-ignore
    const rootOf = async (step: number) => (step === 0 ? roots[0] : step === job.steps ? end : undefined);
    const run = { path: job.name, manifest, segmentRoots: roots, rootOf, runRoot: leafRoot(template, claim) };
    return replayedMemory(Replayer.of(run, job, execution));
  }

  async close(): Promise<void> {
    for (const execution of this.open.values()) await execution.close();
    this.open.clear();
  }

  private async honest(template: JobTemplate, job: ClosedJob): Promise<Execution> {
    const known = this.open.get(template);
    if (!known) {
      const made = await Execution.open(job, this.backend, { reused: true });
      this.open.set(template, made);
      return made;
    }
    await known.take(job);
    return known;
  }

  private async faulty(job: ClosedJob, fault: LeafFault): Promise<AnyExecution> {
    if (fault.kind === "flip") return openExecution(job, this.backend, fault);
    return drilled(await Execution.open(job, this.backend), fault);
  }
}

/**
 * Whether two claims about a leaf are the same: whether they have one run root, which is what its owner
 * signs. The first state of a leaf without steps is in no run root, so it says nothing.
 */
export function sameClaim(plan: Plan, place: LeafPlace, a: LeafClaim, b: LeafClaim): boolean {
  const template = templateOf(plan, place);
  return bytesEqual(leafRoot(template, a), leafRoot(template, b));
}
