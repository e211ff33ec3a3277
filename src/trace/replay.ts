/**
 * A provider's memory of its run: what the trace and the checkpoints hold, and what can be recomputed from
 * them.
 */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { type StateRoot, stateRoot, type Tensor, type TensorRoot, tensorRoot } from "../encoding/tensor.ts";
import { openBackend } from "../certify/open-backend.ts";
import { DisputeError, UsageError } from "../errors/index.ts";
import type { ClosedJob, NamedTensor } from "../job/closed.ts";
import type { Backend, ExecuteOptions, ExecuteReport } from "../repops/backends/backend.ts";
import { BACKENDS } from "../repops/backends/index.ts";
import { stepsOfSegment } from "./commitments.ts";
import { openExecution } from "./drill/faulty.ts";
import type { AnyExecution } from "./execution.ts";
import { openTrace } from "./folder.ts";
import { checkpointsOf, expectComplete, loadClosedJob, readCheckpoint, type Trace } from "./open.ts";
import type { RunRoot } from "./commitments.ts";

/** What a provider claims about one step. */
export interface StepDetail {
  kernelRoots: TensorRoot[];
  newStateRoots: TensorRoot[];
  newStateRoot: StateRoot;
}

/**
 * A provider's memory of its run. It gives any state: it recomputes what the trace and the checkpoints don't
 * hold.
 */
export class Replayer {
  readonly trace: Trace & { runRoot: RunRoot };
  readonly job: ClosedJob;
  /** The number of training steps that had to be executed again. */
  readonly replayed = { steps: 0 };
  private readonly execution: AnyExecution;
  private readonly checkpoints: readonly number[];
  private readonly details = new Map<number, StepDetail>();
  /** The state that was asked for last, because a dispute looks at one step several times. */
  private recent: { step: number; state: NamedTensor[] } | undefined;

  private constructor(
    trace: Trace & { runRoot: RunRoot },
    job: ClosedJob,
    execution: AnyExecution,
    checkpoints: readonly number[],
  ) {
    this.trace = trace;
    this.job = job;
    this.execution = execution;
    this.checkpoints = checkpoints;
  }

  /**
   * Opens a finished run. The replay applies the fault that the run's manifest states. It uses the backend of
   * the run unless another is given. The backend is certified first.
   * @throws {FormatError} when the trace or its folder can't be used
   * @throws {UsageError} when the run used a backend that is not Verde's own, and no other is given
   * @throws {BackendError} when the backend is not available, {DeviceError} when it has other bits
   */
  static async open(path: string, options: { backend?: Backend | string } = {}): Promise<Replayer> {
    const trace = expectComplete(await openTrace(path));
    const job = await loadClosedJob(trace);
    const { backend } = await openBackend(options.backend ?? statedBackend(trace));
    const execution = await openExecution(job, backend, trace.manifest.fault);
    return new Replayer(trace, job, execution, await checkpointsOf(trace));
  }

  get commitEvery(): number {
    return this.trace.manifest.commitEvery;
  }

  get segmentRoots(): readonly StateRoot[] {
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

  /** The state roots after each step of segment 1, 2, … */
  async stepRoots(segment: number): Promise<StateRoot[]> {
    const { first, last } = stepsOfSegment(segment, this.job.steps, this.commitEvery);
    if (first === last) return [this.segmentRoots[segment]];
    await this.goTo(first - 1);
    const roots: StateRoot[] = [];
    for (let step = first; step <= last; step++) {
      await this.advance();
      roots.push(await this.execution.stateRoot());
    }
    return roots;
  }

  /** The roots of the outputs of all operators of a step, and of the new state; step 0 is the init graph. */
  async detail(step: number): Promise<StepDetail> {
    const known = this.details.get(step);
    if (known) return known;
    const { roots } = await this.execute(step, { rootsOf: "all" });
    const kernelRoots = [...roots.values()];
    const newStateRoots = await this.execution.entryRoots();
    const detail = { kernelRoots, newStateRoots, newStateRoot: stateRoot(newStateRoots) };
    this.checkRoot(step, detail.newStateRoot);
    this.details.set(step, detail);
    return detail;
  }

  /** The roots of the state's entries after a step. */
  async entryRoots(step: number): Promise<TensorRoot[]> {
    return (await this.state(step)).map(tensorRoot);
  }

  /**
   * Tensors of a step's graph by number: the pre-state, the dataset, and the outputs of operators.
   * @throws {BackendError} for a tensor that the graph does not have
   */
  async capture(step: number, tensors: readonly number[]): Promise<Map<number, Tensor>> {
    const captured = new Map<number, Tensor>();
    const inputs = step === 0 ? 0 : this.job.step.inputs.length;
    const before = step > 0 && tensors.some((tensor) => tensor < inputs) ? await this.state(step - 1) : [];
    for (const tensor of tensors)
      if (tensor < inputs) captured.set(tensor, before[tensor] ?? this.job.dataset[tensor - before.length]);
    const capture = tensors.filter((tensor) => tensor >= inputs).map((tensor) => tensor - inputs);
    if (capture.length === 0) return captured;
    const report = await this.execute(step, { capture });
    for (const [kernel, output] of report.captured) captured.set(inputs + kernel, output);
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

  /** Starts from the nearest earlier state, in memory or in a checkpoint. */
  private async goTo(step: number): Promise<void> {
    const checkpoint = this.checkpoints.findLast((candidate) => candidate <= step);
    const { at } = this.execution;
    if (at < 0 || at > step || (checkpoint ?? -1) > at) {
      if (checkpoint === undefined) await this.execution.initialise();
      else await this.execution.restore(checkpoint, await readCheckpoint(this.trace, checkpoint));
    }
    while (this.execution.at < step) await this.advance();
    this.checkRoot(step, await this.execution.stateRoot());
  }

  /** @throws {DisputeError} when the recomputed state is not the one that the trace commits to */
  private checkRoot(step: number, root: StateRoot): void {
    const claimed = this.trace.records[step].root;
    if (claimed && !bytesEqual(claimed, root))
      throw new DisputeError(
        "REPLAY_DIFFERS",
        `replaying ${this.trace.path} gives another state after step ${step} than it commits to; use the backend and the checkpoints of the run`,
        { path: this.trace.path, step, expected: toHex(claimed), found: toHex(root) },
      );
  }
}

/** Looks only among Verde's own backends: a name in a trace never makes Verde load a file. */
function statedBackend({ path, manifest: { backend: name } }: Trace): Backend {
  if (Object.hasOwn(BACKENDS, name)) return BACKENDS[name as keyof typeof BACKENDS];
  throw new UsageError(
    "UNKNOWN",
    `${path} was made with the backend ${JSON.stringify(name)}, which is not among Verde's own; ` +
      "name the one to replay it with, such as --backend wasm, which has the same bits",
    { path, backend: name },
  );
}
