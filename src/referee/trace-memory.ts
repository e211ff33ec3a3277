/** A trace as a party's memory. It is replayed if its folder allows that; if not, its records are used. */
import { type StateRoot, stateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import { DisputeError, FormatError } from "../errors/index.ts";
import type { JobOutline } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { type RunRoot, stepsOfSegment } from "../trace/commitments.ts";
import { Replayer, type Trace } from "../trace/index.ts";
import type { Memory, StepRoots } from "./memory.ts";
import { graphOf } from "./facts.ts";

export type FinishedTrace = Trace & { runRoot: RunRoot };

export interface TraceMemory extends Memory {
  /** Whether tensors can be shown. If not, a dispute ends at the operator. */
  readonly canReplay: boolean;
  /** The reason why it could not answer, if it could not. */
  failure(): string | undefined;
  close(): Promise<void>;
}

/**
 * @param backend replays the run; it is certified first; default: the backend that the run was made with
 * @throws {FormatError} when the trace can't be replayed and was not recorded with `--detail operators`
 */
export async function traceMemory(trace: FinishedTrace, backend?: Backend | string): Promise<TraceMemory> {
  try {
    return replayedMemory(await Replayer.open(trace.path, backend ? { backend } : {}));
  } catch (error) {
    const { detail } = trace.manifest;
    if (error instanceof FormatError && detail === "operators") return new RecordedMemory(trace, error.message);
    throw error;
  }
}

/** If a replay contradicts the trace's own commitments, there is no answer. If it fails, that is an error. */
function replayedMemory(replayer: Replayer): TraceMemory {
  let failure: string | undefined;
  const attempt = async <T>(make: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof DisputeError)) throw error;
      failure = error.message;
      return undefined;
    }
  };
  return {
    outline: replayer.trace.manifest.outline,
    dataset: replayer.job.dataset,
    commitEvery: replayer.commitEvery,
    segmentRoots: replayer.segmentRoots,
    isDrill: replayer.trace.manifest.fault !== undefined,
    stepRoots: (segment) => attempt(() => replayer.stepRoots(segment)),
    detail: (step) => attempt(() => replayer.detail(step)),
    capture: (step, tensors) => attempt(() => replayer.capture(step, tensors)),
    entryRoots: (step) => attempt(() => replayer.entryRoots(step)),
    canReplay: true,
    failure: () => failure,
    close: () => replayer.close(),
  };
}

/**
 * A memory from the records of a run with `--detail operators`: the roots of all operators' outputs. The
 * roots of every state follow from them, since the graph says which output becomes which entry.
 */
class RecordedMemory implements TraceMemory {
  readonly outline: JobOutline;
  readonly dataset: readonly Tensor[] = [];
  readonly commitEvery: number;
  readonly isDrill: boolean;
  readonly segmentRoots: readonly StateRoot[];
  readonly canReplay = false;
  private readonly states: readonly (readonly TensorRoot[] | undefined)[];
  private readonly trace: FinishedTrace;
  private readonly reason: string;

  /** @param reason why the trace can't be replayed */
  constructor(trace: FinishedTrace, reason: string) {
    const { outline, commitEvery, fault } = trace.manifest;
    this.isDrill = fault !== undefined;
    this.outline = outline;
    this.commitEvery = commitEvery;
    this.segmentRoots = trace.segmentRoots;
    this.trace = trace;
    this.reason = reason;
    this.states = entryRoots(trace);
  }

  async stepRoots(segment: number): Promise<StateRoot[] | undefined> {
    const { first, last } = stepsOfSegment(segment, this.outline.steps, this.commitEvery);
    if (first === last) return [this.segmentRoots[segment]];
    const roots = this.states.slice(first, last + 1).flatMap((entries) => (entries ? [stateRoot(entries)] : []));
    return roots.length === last - first + 1 ? roots : undefined;
  }

  async detail(step: number): Promise<StepRoots | undefined> {
    const newStateRoots = this.states[step];
    const kernelRoots = this.trace.records[step].opRoots ?? [];
    return newStateRoots && { kernelRoots, newStateRoots, newStateRoot: stateRoot(newStateRoots) };
  }

  async entryRoots(step: number): Promise<readonly TensorRoot[] | undefined> {
    return this.states[step];
  }

  async capture(): Promise<undefined> {
    return undefined;
  }

  failure(): string {
    return this.reason;
  }

  async close(): Promise<void> {}
}

/**
 * The entries of every state, if they follow from the recorded outputs. Those of a given checkpoint do not.
 */
function entryRoots({ manifest, records }: FinishedTrace): (TensorRoot[] | undefined)[] {
  const { outline } = manifest;
  const states: (TensorRoot | undefined)[][] = [];
  for (const { step, opRoots = [] } of records) {
    const { inputs, outputs } = graphOf(outline, step === 0 ? "init" : "step");
    const given = step === 0 && outline.init.kind === "checkpoint";
    const before = step === 0 ? [] : [...states[step - 1], ...outline.datasetRoots];
    states.push(
      outputs.map(({ tensor }) => (given || tensor < inputs.length ? before[tensor] : opRoots[tensor - inputs.length])),
    );
  }
  return states.map((entries) => {
    const known = entries.filter((root) => root !== undefined);
    return known.length === entries.length ? known : undefined;
  });
}
