/**
 * What a run reports and records of its steps. The root of a state and the files of a checkpoint are made
 * beside the steps that follow.
 */
import { stateRoot, type Tensor } from "../encoding/tensor.ts";
import { type RunError, UsageError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { ExecuteOptions, ExecuteReport } from "../repops/backends/backend.ts";
import { discard } from "../repops/backends/host.ts";
import { measuredCadence, mostReplayed } from "./cadence.ts";
import { isCheckpoint, isCommitted, runRootOf } from "./commitments.ts";
import type { AnyExecution } from "./execution.ts";
import { type Executed, graphOf, stepInfo } from "./executed.ts";
import { addFallback, type FallbackSummary } from "./fallback.ts";
import { HERE, type Surroundings } from "./here.ts";
import { manifestOf } from "./manifest.ts";
import { MetricEntries, metricNames, namedMetrics } from "./metrics.ts";
import { type Divergence, Observations } from "./observations.ts";
import { keepObserved, readObserved } from "./observed-file.ts";
import { Recording } from "./recording.ts";
import type { StepReport, Wanted } from "./resume.ts";
import type { RunOptions, RunResult } from "./run.ts";
import { SelfAudit } from "./self-audit.ts";
import type { Planned } from "./settings.ts";
import { type Snapshot, takeSnapshot } from "./snapshot.ts";
import { dataFolder } from "./source.ts";
import { divergedError, stoppedError } from "./stopped.ts";
import { isThereAtOnce } from "./turns.ts";

export class Recorder {
  private readonly job: ClosedJob;
  private readonly here: Surroundings;
  private settings: Planned;
  private readonly options: RunOptions;
  /** What to record of each step's kernels. */
  private readonly wanted: ExecuteOptions;
  private readonly names: string[];
  /** The manifest, as far as it is known before the first step. */
  private readonly outlined: Wanted;
  private readonly proofs: MetricEntries;
  readonly audit: SelfAudit;
  private readonly reports: StepReport[] = [];
  private readonly observed = new Observations();
  private fallback: FallbackSummary | undefined;
  private recording: Recording | undefined;
  /** Ends when the last step is reported. */
  private reported: Promise<void> = Promise.resolve();

  constructor(job: ClosedJob, settings: Planned, options: RunOptions, here: Surroundings = HERE) {
    this.job = job;
    this.settings = settings;
    this.here = here;
    this.outlined = manifestOf(job, settings);
    this.options = options;
    this.wanted = settings.detail === "operators" ? { rootsOf: "all" } : {};
    this.names = metricNames(job);
    this.proofs = new MetricEntries(job);
    this.audit = new SelfAudit(job, this.outlined.jobId, settings.backend, here.now);
  }

  /** The first sign that training has diverged, if there was one. */
  get divergence(): Divergence | undefined {
    return this.observed.divergence;
  }

  /** Whether the trace was finished before, so that nothing is executed. */
  get isFinished(): boolean {
    return this.recording?.point?.finished ?? false;
  }

  /** Whether a checkpoint is being written, which needs that events pass. */
  get isWriting(): boolean {
    return this.recording?.isWriting ?? false;
  }

  /** Puts the execution at the first state, or at the newest checkpoint that fits an unfinished trace. */
  async begin(execution: AnyExecution): Promise<void> {
    const { out, resume = false } = this.options;
    if (resume && out === undefined) throw new UsageError("CONFLICT", "no trace to resume: name it with --out");
    if (out !== undefined) {
      const rootOf = async (step: number, state: readonly Tensor[]) => {
        await execution.restore(step, state);
        return execution.stateRoot();
      };
      const given = { ...this.options, ...this.here, rootOf };
      this.recording = await Recording.open(out, this.job, this.outlined, given);
      const { commitEvery, checkpointEvery } = this.recording.manifest ?? this.settings;
      this.settings = { ...this.settings, commitEvery, ...(checkpointEvery !== undefined && { checkpointEvery }) };
    }
    const point = this.recording?.point;
    if (point) {
      this.observed.resume(await readObserved(dataFolder(out!), this.outlined), point.step);
      await execution.restore(point.step, point.state);
      point.state.forEach(discard);
      this.reports.push(...point.reports);
      return;
    }
    const began = this.here.now();
    const report = await execution.initialise(this.wanted);
    await this.record(execution, report, began);
  }

  /**
   * Keeps what makes the run resumable from its last step.
   * @param divergence what has stopped it; absent: a signal
   * @returns the error that tells who waits for the run
   */
  async stop(execution: AnyExecution, divergence?: Divergence): Promise<RunError> {
    const { out, signal } = this.options;
    const { at: step } = execution;
    await this.reported;
    await this.recording?.untilWritten();
    await this.keepObserved();
    if (this.recording && step > 0 && !this.isDue(step))
      await this.recording.stop(step, await execution.state(), await execution.stateRoot());
    const stopped = { step, steps: this.job.steps, ...(out !== undefined && { out }) };
    return divergence ? divergedError(stopped, divergence) : stoppedError(stopped, signal?.reason);
  }

  async step(execution: AnyExecution): Promise<void> {
    const began = this.here.now();
    this.options.onPhase?.(`training step ${execution.at + 1}`);
    const report = await execution.advance(this.wanted);
    // No more than one state is hashed beside, and the steps are reported in their order.
    await this.reported;
    if (this.settings.checkpointEvery === undefined) await this.decide((this.here.now() - began) / 1000);
    await this.record(execution, report, began);
  }

  /** Chooses how often there is a checkpoint, after the first training step and before it is recorded. */
  private async decide(stepSeconds: number): Promise<void> {
    const recording = this.recording!;
    await recording.untilWritten();
    const freeBytes = await this.here.freeBytes(dataFolder(this.options.out!));
    const { commitEvery } = this.settings;
    const { writeSeconds } = recording;
    const checkpointEvery = measuredCadence(this.job, commitEvery, { stepSeconds, writeSeconds, freeBytes });
    this.settings = { ...this.settings, checkpointEvery };
    await recording.decide({ ...this.outlined, checkpointEvery });
  }

  /** Takes what there is to know about the present state, and leaves the rest to run beside the next step. */
  private async record(execution: AnyExecution, report: ExecuteReport, began: number): Promise<void> {
    const { at: step } = execution;
    const graph = graphOf(this.job, step);
    this.observed.executed(step, report, graph, this.options.fault !== undefined);
    const committed = isCommitted(step, this.job.steps, this.settings.commitEvery);
    if (committed) this.options.onPhase?.(`hashing the state of step ${step}`);
    const roots = committed ? execution.entryRoots() : undefined;
    // Whatever happens first, this is awaited later.
    roots?.catch(() => undefined);
    const metrics = await execution.metrics();
    const state = await this.snapshot(execution);
    let ended: number | undefined;
    const seconds = (): number => ((ended ?? this.here.now()) - began) / 1000;
    const executed = { step, graph, report, metrics, ...(roots && { roots }), ...(state && { state }), seconds };
    this.reported = this.report(executed);
    this.reported.catch(() => undefined);
    const isWaiting = roots && !(this.recording && state?.isUnread) && !(await isThereAtOnce(roots));
    if (isWaiting) ended = this.here.now();
    else await this.reported;
  }

  /** Records and reports a step when its roots are there. */
  private async report({ step, graph, report, metrics, roots, state, seconds }: Executed): Promise<void> {
    const { job, options, names } = this;
    const entryRoots = await roots;
    const root = entryRoots && stateRoot(entryRoots);
    const known: StepReport = { metrics, ...(root && { root }) };
    const record = {
      step,
      ...known,
      ...(entryRoots && this.recording && { metricsProof: this.proofs.prove(entryRoots) }),
      ...(report.roots.size > 0 && { opRoots: [...report.roots.values()] }),
      ...(entryRoots && step === 0 && job.init.kind === "checkpoint" && { entryRoots }),
    };
    state?.look();
    const named = namedMetrics(names, metrics);
    const see = async (): Promise<void> => {
      this.observed.read(step, state?.saturated ?? []);
      this.observed.measured(step, named);
      if (state) await this.keepObserved();
    };
    // A state that is read when it is written shows only then what it holds.
    if (!state?.isUnread) await see();
    await this.recording?.step(record, state?.tensors);
    if (state?.isUnread) {
      await this.recording?.untilWritten();
      await see();
    }
    this.reports.push(known);
    this.fallback = addFallback(this.fallback, report.fallback, graph);
    options.onStep?.(stepInfo(job, { step, metrics: named, seconds: seconds(), root, divergence: this.divergence }));
  }

  /** For a run that continues from here. */
  private async keepObserved(): Promise<void> {
    const kept = this.recording && this.observed.kept();
    if (kept) await keepObserved(dataFolder(this.options.out!), this.outlined, kept);
  }

  /** Returns when the last step is reported. */
  async untilReported(): Promise<void> {
    await this.reported;
  }

  private isDue(step: number): boolean {
    // Before it is chosen, there is only the first state.
    return isCheckpoint(step, this.job.steps, this.settings.checkpointEvery ?? 0);
  }

  /** The state, where a checkpoint is due. One is written at a time, so that memory is bounded. */
  private async snapshot(execution: AnyExecution): Promise<Snapshot | undefined> {
    if (!this.isDue(execution.at)) return undefined;
    await this.recording?.untilWritten();
    return takeSnapshot(execution, this.recording ? this.here.large : undefined);
  }

  async end(execution: AnyExecution): Promise<RunResult> {
    await this.reported;
    const segmentRoots = this.reports.flatMap(({ root }) => (root ? [root] : []));
    const { commitEvery, checkpointEvery = 0 } = this.settings;
    const runRoot = runRootOf(this.outlined.jobId, commitEvery, segmentRoots);
    await this.recording?.end(runRoot);
    const metrics = this.reports.map((report) => namedMetrics(this.names, report.metrics));
    const { observed, fallback, audit: { summary: audit } } = this; // prettier-ignore
    const state = this.options.keepState === false ? [] : await execution.state();
    const replayedSteps = mostReplayed(this.job.steps, commitEvery, checkpointEvery);
    const cadence = { commitEvery, checkpointEvery, replayedSteps };
    return {
      runRoot,
      segmentRoots,
      metrics,
      state,
      ...observed.result(),
      cadence,
      audit,
      ...(fallback && { fallback }),
    };
  }

  /** Returns when nothing runs beside any more, and all that could be recorded is. */
  async close(): Promise<void> {
    await this.reported.catch(() => undefined);
    await this.recording?.close();
  }
}
