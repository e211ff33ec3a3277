/** A trace as a party's memory. It is replayed if its folder allows that; if not, its records are used. */
import { itemAt, type LongList } from "../encoding/long-tree.ts";
import { type StateRoot, stateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import { DisputeError, FormatError } from "../errors/index.ts";
import type { JobOutline } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { type RunRoot, stepsOfSegment } from "../trace/commitments.ts";
import { Replayer, type StepRecord, type Trace } from "../trace/index.ts";
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
 * @param backend replays the run; it is certified first; default: as for `Replayer.open`
 * @throws {FormatError} when the trace can't be replayed and was not recorded with `--detail operators`
 */
export async function traceMemory(trace: FinishedTrace, backend?: Backend | string): Promise<TraceMemory> {
  try {
    return replayedMemory(await Replayer.open(trace.path, backend ? { backend } : {}), trace);
  } catch (error) {
    const { detail } = trace.manifest;
    if (error instanceof FormatError && detail === "operators") return new RecordedMemory(trace, error.message);
    throw error;
  }
}

/**
 * If a replay contradicts the trace's own commitments, what the trace has recorded of its operators is the
 * answer, unsigned; without such records there is none. If the replay fails, that is an error.
 */
export function replayedMemory(replayer: Replayer, stored?: FinishedTrace): TraceMemory {
  let failure: string | undefined;
  let recorded: RecordedMemory | undefined;
  const attempt = async <T>(ask: (memory: Replayer | RecordedMemory) => Promise<T | undefined>) => {
    if (recorded) return ask(recorded);
    try {
      return await ask(replayer);
    } catch (error) {
      if (!(error instanceof DisputeError)) throw error;
      failure = error.message;
      if (stored?.manifest.detail !== "operators") return undefined;
      recorded = new RecordedMemory(stored, failure);
      return ask(recorded);
    }
  };
  return {
    outline: replayer.trace.manifest.outline,
    dataset: replayer.job.dataset,
    commitEvery: replayer.commitEvery,
    segmentRoots: replayer.segmentRoots,
    runRoot: replayer.trace.runRoot,
    isDrill: replayer.trace.manifest.fault !== undefined,
    get isRecorded() {
      return recorded !== undefined;
    },
    stepRoots: (segment) => attempt<readonly StateRoot[]>((memory) => memory.stepRoots(segment)),
    detail: (step) => attempt<StepRoots>((memory) => memory.detail(step)),
    capture: (step, tensors) => attempt<ReadonlyMap<number, Tensor>>((memory) => memory.capture(step, tensors)),
    entryRoots: (step) => attempt<readonly TensorRoot[]>((memory) => memory.entryRoots(step)),
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
  readonly segmentRoots: LongList<StateRoot>;
  readonly runRoot: RunRoot;
  readonly isRecorded = true;
  readonly canReplay = false;
  private readonly trace: FinishedTrace;
  private readonly reason: string;

  /** @param reason why the trace can't be replayed */
  constructor(trace: FinishedTrace, reason: string) {
    const { outline, commitEvery, fault } = trace.manifest;
    this.isDrill = fault !== undefined;
    this.outline = outline;
    this.commitEvery = commitEvery;
    this.segmentRoots = trace.segmentRoots;
    this.runRoot = trace.runRoot;
    this.trace = trace;
    this.reason = reason;
  }

  async stepRoots(segment: number): Promise<StateRoot[] | undefined> {
    const { first, last } = stepsOfSegment(segment, this.outline.steps, this.commitEvery);
    if (first === last) return [await itemAt(this.segmentRoots, segment)];
    const roots: StateRoot[] = [];
    for (let step = first; step <= last; step++) roots.push(stateRoot(await entryRoots(this.trace, step)));
    return roots;
  }

  async detail(step: number): Promise<StepRoots | undefined> {
    const newStateRoots = await entryRoots(this.trace, step);
    const { opRoots: kernelRoots = [] } = await this.trace.record(step);
    return { kernelRoots, newStateRoots, newStateRoot: stateRoot(newStateRoots) };
  }

  async entryRoots(step: number): Promise<readonly TensorRoot[]> {
    return entryRoots(this.trace, step);
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
 * The entries of the state after a step, from the recorded outputs. An entry that steps only pass on is one
 * of an earlier state: at last one of the initial state. Its entries follow from the outputs of the init
 * graph, or are in record 0.
 */
async function entryRoots(trace: FinishedTrace, step: number): Promise<TensorRoot[]> {
  const { outline } = trace.manifest;
  const { inputs, outputs } = outline.step;
  const records = new Map<number, Promise<StepRecord>>();
  const recordOf = (at: number): Promise<StepRecord> => records.get(at) ?? records.set(at, trace.record(at)).get(at)!;
  const rootOf = async (entry: number): Promise<TensorRoot> => {
    let at = step;
    for (let tensor = entry; ; at--) {
      if (at === 0) {
        const { opRoots = [], entryRoots: given } = await recordOf(0);
        if (given) return given[tensor];
        const init = graphOf(outline, "init");
        const made = init.outputs[tensor].tensor;
        return outline.datasetRoots[made] && made < init.inputs.length
          ? outline.datasetRoots[made]
          : opRoots[made - init.inputs.length];
      }
      const source = outputs[tensor].tensor;
      if (source >= inputs.length) return (await recordOf(at)).opRoots![source - inputs.length];
      if (source >= outputs.length) return outline.datasetRoots[source - outputs.length];
      // Nothing else happens to an entry that stays where it is.
      if (source === tensor) at = 1;
      tensor = source;
    }
  };
  return Promise.all(outputs.map((_, entry) => rootOf(entry)));
}
