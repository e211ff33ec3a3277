/**
 * A provider's memory of its run: what the trace and the checkpoints hold, and what can be recomputed from
 * them.
 */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { itemAt, type LongList } from "../encoding/long-tree.ts";
import { byteLength, type StateRoot, stateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import { openBackend } from "../certify/open-backend.ts";
import { DisputeError } from "../errors/index.ts";
import type { ClosedJob, NamedTensor } from "../job/closed.ts";
import type { Backend, ExecuteOptions, ExecuteReport } from "../repops/backends/backend.ts";
import { BACKENDS, DEFAULT, isBackendName } from "../repops/backends/index.ts";
import { stepsOfSegment } from "./commitments.ts";
import { openExecution } from "./drill/faulty.ts";
import type { AnyExecution } from "./execution.ts";
import { openTrace } from "./folder.ts";
import { KeptStates } from "./kept-states.ts";
import { checkpointsOf, expectComplete, loadClosedJob, restoreCheckpoint, type Trace } from "./open.ts";
import type { RunRoot } from "./commitments.ts";

/** The most bytes of operators' outputs that are kept of one step. */
const MOST_OUTPUTS = 2 ** 28;

/** What a provider claims about one step. */
export interface StepDetail {
  kernelRoots: TensorRoot[];
  newStateRoots: TensorRoot[];
  newStateRoot: StateRoot;
}

/** What a replay has to know of a run. */
export type ReplayedRun = Pick<Trace, "path" | "manifest" | "segmentRoots" | "rootOf"> & { readonly runRoot: RunRoot };

/**
 * A provider's memory of its run. It gives any state: it recomputes what the trace and the checkpoints don't
 * hold.
 */
export class Replayer {
  readonly trace: ReplayedRun;
  readonly job: ClosedJob;
  /** The number of training steps that had to be executed again. */
  readonly replayed = { steps: 0 };
  private readonly execution: AnyExecution;
  /** The checkpoints on disk, if the run is a trace. */
  private readonly stored: { trace: Trace; checkpoints: readonly number[] } | undefined;
  private readonly details = new Map<number, StepDetail>();
  /** The segment that was replayed last, and some of its states. */
  private replayedSegment: { number: number; roots: StateRoot[] } | undefined;
  private readonly kept: KeptStates;
  /** The state that was asked for last, because a dispute looks at one step several times. */
  private recent: { step: number; state: NamedTensor[] } | undefined;
  /** The roots of the state that was asked for last: a dispute shows several of its entries. */
  private entries: { step: number; roots: TensorRoot[] } | undefined;
  /** The outputs of the operators of the step that was detailed last, unless they are too large together. */
  private outputs: { step: number; tensors: ReadonlyMap<number, Tensor> } | undefined;

  private constructor(
    trace: ReplayedRun,
    job: ClosedJob,
    execution: AnyExecution,
    stored?: { trace: Trace; checkpoints: readonly number[] },
  ) {
    this.trace = trace;
    this.stored = stored;
    this.job = job;
    this.execution = execution;
    this.kept = new KeptStates(job);
  }

  /** A run that is no trace: it has no checkpoints, so it is executed from its initial state. */
  static of(run: ReplayedRun, job: ClosedJob, execution: AnyExecution): Replayer {
    return new Replayer(run, job, execution);
  }

  /**
   * Opens a finished run. The replay applies the fault that the run's manifest states.
   * @param options.backend replays the run, after it was certified; by default the backend that every
   * machine has, or `auto` if the run was made on a device. What a trace states decides no more than that,
   * because its author does not pay for the replay, and every backend gives the same bits.
   * @throws {FormatError} when the trace or its folder can't be used
   * @throws {JobError} when the job is larger than this machine
   * @throws {BackendError} when the backend is not available, {DeviceError} when it has other bits
   */
  static async open(path: string, options: { backend?: Backend | string } = {}): Promise<Replayer> {
    const trace = expectComplete(await openTrace(path));
    const job = await loadClosedJob(trace);
    const { checkpointEvery } = trace.manifest;
    const load = { list: job.step, times: checkpointEvery || job.steps };
    const { backend } = await openBackend(options.backend ?? backendFor(trace), { load });
    const execution = await openExecution(job, backend, trace.manifest.fault);
    return new Replayer(trace, job, execution, { trace, checkpoints: await checkpointsOf(trace) });
  }

  get commitEvery(): number {
    return this.trace.manifest.commitEvery;
  }

  /** The roots of the initial state and of the state after each segment, read when they are asked for. */
  get segmentRoots(): LongList<StateRoot> {
    return this.trace.segmentRoots;
  }

  /** The state after a step. */
  async state(step: number): Promise<NamedTensor[]> {
    if (this.recent?.step !== step) {
      await this.goTo(step);
      this.recent = { step, state: await this.execution.state() };
    }
    return this.recent.state;
  }

  /**
   * The state roots after each step of segment 1, 2, … It executes each step of the segment once. Of its n
   * states it keeps √n, so each later question about one of its steps executes at most √n more: all that a
   * dispute asks about one step together take n + √n + 1 (as long as √n states have 256 MiB or less, and the
   * outputs of one step too; if not, as many states are kept as fit, and the step is executed twice).
   * @throws {DisputeError} when the last state is not the one that the trace commits to
   */
  async stepRoots(segment: number): Promise<StateRoot[]> {
    const { first, last } = stepsOfSegment(segment, this.job.steps, this.commitEvery);
    if (first === last) return [await itemAt(this.segmentRoots, segment)];
    if (this.replayedSegment?.number === segment) return this.replayedSegment.roots;
    await this.goTo(first - 1);
    this.kept.begin(first - 1, last - 1);
    const roots: StateRoot[] = [];
    for (let step = first; step <= last; step++) {
      if (this.kept.wants(step - 1)) this.kept.keep(step - 1, await this.execution.state());
      await this.advance();
      roots.push(await this.execution.stateRoot());
    }
    await this.checkRoot(last, roots[roots.length - 1]);
    this.replayedSegment = { number: segment, roots };
    return roots;
  }

  /** The roots of the outputs of all operators of a step, and of the new state; step 0 is the init graph. */
  async detail(step: number): Promise<StepDetail> {
    const known = this.details.get(step);
    if (known) return known;
    const { init } = this.job;
    const { kernels } = step > 0 ? this.job.step : init.kind === "graph" ? init.graph : { kernels: [] };
    const isSmall = kernels.reduce((sum, { type }) => sum + byteLength(type), 0) <= MOST_OUTPUTS;
    const { roots, captured } = await this.execute(step, {
      rootsOf: "all",
      ...(isSmall && { capture: [...kernels.keys()] }),
    });
    this.outputs = isSmall ? { step, tensors: captured } : undefined;
    const kernelRoots = [...roots.values()];
    const newStateRoots = await this.execution.entryRoots();
    const detail = { kernelRoots, newStateRoots, newStateRoot: stateRoot(newStateRoots) };
    await this.checkRoot(step, detail.newStateRoot);
    this.details.set(step, detail);
    return detail;
  }

  /** The roots of the state's entries after a step. */
  async entryRoots(step: number): Promise<TensorRoot[]> {
    const known = this.details.get(step)?.newStateRoots;
    if (known) return known;
    if (this.entries?.step !== step) {
      const state = await this.state(step);
      // The backend hashes large tensors faster than they are hashed here.
      if (this.execution.at !== step) await this.execution.restore(step, state);
      this.entries = { step, roots: await this.execution.entryRoots() };
    }
    return this.entries.roots;
  }

  /**
   * Tensors of a step's graph by number: the pre-state, the dataset, and the outputs of operators.
   * @throws {BackendError} for a tensor that the graph does not have
   */
  async capture(step: number, tensors: readonly number[]): Promise<Map<number, Tensor>> {
    const captured = new Map<number, Tensor>();
    const { init } = this.job;
    const inputs = (step > 0 ? this.job.step.inputs : init.kind === "graph" ? init.graph.inputs : []).length;
    const before = step > 0 && tensors.some((tensor) => tensor < inputs) ? await this.state(step - 1) : [];
    for (const tensor of tensors)
      if (tensor < inputs) captured.set(tensor, before[tensor] ?? this.job.dataset[tensor - before.length]);
    const capture = tensors.filter((tensor) => tensor >= inputs).map((tensor) => tensor - inputs);
    if (capture.length === 0) return captured;
    // A kernel that the graph does not have is refused by the execution.
    const isKept = this.outputs?.step === step && capture.every((kernel) => this.outputs!.tensors.has(kernel));
    const outputs = isKept ? this.outputs!.tensors : (await this.execute(step, { capture })).captured;
    for (const kernel of capture) captured.set(inputs + kernel, outputs.get(kernel)!);
    return captured;
  }

  async close(): Promise<void> {
    await this.execution.close();
  }

  /** Runs one training step from its pre-state. */
  private async execute(step: number, options: ExecuteOptions): Promise<ExecuteReport> {
    if (step === 0) return this.execution.initialise(options);
    await this.execution.restore(step - 1, await this.state(step - 1));
    return this.advance(options);
  }

  private async advance(options?: ExecuteOptions): Promise<ExecuteReport> {
    this.replayed.steps++;
    return this.execution.advance(options);
  }

  /** Starts from the nearest earlier state: the present one, one in memory, or a checkpoint. */
  private async goTo(step: number): Promise<void> {
    const checkpoint = this.stored?.checkpoints.findLast((candidate) => candidate <= step) ?? -1;
    const kept = this.kept.before(step);
    const at = this.execution.at > step ? -1 : this.execution.at;
    if (kept && kept.step > at && kept.step >= checkpoint) await this.execution.restore(kept.step, kept.state);
    else if (checkpoint > at) {
      await restoreCheckpoint(this.execution, this.stored!.trace, checkpoint);
      // It was compared with the trace's root.
      if (checkpoint === step) return;
    } else if (at < 0) await this.execution.initialise();
    while (this.execution.at < step) await this.advance();
    await this.checkRoot(step, await this.execution.stateRoot());
  }

  /** @throws {DisputeError} when the recomputed state is not the one that the trace commits to */
  private async checkRoot(step: number, root: StateRoot): Promise<void> {
    const claimed = await this.trace.rootOf(step);
    if (claimed && !bytesEqual(claimed, root))
      throw new DisputeError(
        "REPLAY_DIFFERS",
        `replaying ${this.trace.path} gives another state after step ${step} than it commits to; use the backend and the checkpoints of the run`,
        { path: this.trace.path, step, expected: toHex(claimed), found: toHex(root) },
      );
  }
}

/**
 * A run that was made on a device may be too large for the processor, so a device is looked for. Nothing else
 * that a trace states about its backend has an effect here.
 */
function backendFor({ manifest: { backend: name } }: Pick<Trace, "manifest">): Backend | string {
  const stated: Backend | undefined = isBackendName(name) ? BACKENDS[name] : undefined;
  return stated?.describe ? "auto" : DEFAULT;
}
