/** Runs a job: commits to its states, and writes the trace and checkpoints during the run. */
import { type StateRoot, stateRoot, type Tensor } from "../encoding/tensor.ts";
import { RunError, UsageError } from "../errors/index.ts";
import { type ClosedJob, type NamedTensor } from "../job/closed.ts";
import type { JobDefinition } from "../job/define.ts";
import type { Backend, ExecuteOptions, ExecuteReport } from "../repops/backends/backend.ts";
import { isSaturated } from "../repops/numbers/vf32.ts";
import { addFallback, type FallbackSummary } from "./fallback.ts";
import { openBackendFor } from "./chosen-backend.ts";
import { isCheckpoint, isCommitted, type RunRoot, runRootOf } from "./commitments.ts";
import { openExecution } from "./drill/faulty.ts";
import type { AnyExecution } from "./execution.ts";
import type { Fault } from "./fault.ts";
import { type Detail, type Manifest, manifestOf, type RunSettings } from "./manifest.ts";
import { settingsOf } from "./settings.ts";
import { MetricEntries, metricNames, namedMetrics } from "./metrics.ts";
import { Recording } from "./recording.ts";
import { type AuditSummary, SelfAudit } from "./self-audit.ts";
import type { StepReport } from "./resume.ts";

/** What a run reports after each training step. */
export interface StepInfo {
  step: number;
  steps: number;
  metrics: Record<string, number>;
  /** Wall time of this step. */
  seconds: number;
  /** In the job's unit, such as tokens or samples. */
  unitsPerSecond: number;
  /** Present after training steps that are committed to. */
  root?: StateRoot;
}

/** How a job is run. Everything is optional: by default the run stays in memory. */
export interface RunOptions {
  /** The path of the trace to write; without it nothing is written. */
  out?: string;
  /** A backend, its name, `auto` (default), or a module that exports one. It is certified first. */
  backend?: Backend | string;
  /** Training steps in a segment; default 1. */
  commitEvery?: number;
  /** A multiple of `commitEvery`; 0: only the first and the last state; default: about ten checkpoints. */
  checkpointEvery?: number;
  detail?: Detail;
  fault?: Fault;
  /** Continue a cut or stopped trace from its newest checkpoint. Of a finished one, read it. */
  resume?: boolean;
  /** Overwrite an existing trace; with `resume`: begin again where no checkpoint is left to continue from. */
  force?: boolean;
  /** Called when something begins that may take long, with what it is: a few words. */
  onPhase?(what: string): void;
  /** Called after each training step, from step 0, the initial state. */
  onStep?(info: StepInfo): void;
  /** Stops the run after the present training step. With `out`, it can be resumed from there. */
  signal?: AbortSignal;
}

/** The commitments and the results of a run. */
export interface RunResult {
  runRoot: RunRoot;
  /** The roots of the initial state and of the state after each segment. */
  segmentRoots: StateRoot[];
  /** The metrics of each training step, from step 0. */
  metrics: Record<string, number>[];
  state: NamedTensor[];
  /** Values that reached the end of the range: training has diverged. */
  saturated: { step: number; tensor: string }[];
  /** Reads of gathers outside their source, which gave the fill value. */
  outOfRange: { step: number; label: string; count: number }[];
  /** What the fallback backend executed, because the backend does not list it. */
  fallback?: FallbackSummary;
  /** What the run computed again by the definition. */
  audit: AuditSummary;
}

/**
 * Runs a job from its first state to its last.
 * @throws {UsageError} for options that do not fit together, or when something would be overwritten
 * @throws {FileError} when another process writes the trace, or a file can't be written
 * @throws {RunError} when `signal` stopped it, or when it found that this machine computes wrong bits
 * @throws {JobError} when the trace to resume belongs to another run
 * @throws {BackendError | DeviceError} when the backend is not available, or has other bits
 */
export async function run(job: ClosedJob | JobDefinition, options: RunOptions = {}): Promise<RunResult> {
  const closed = "close" in job ? await job.close() : job;
  const { backend } = await openBackendFor(closed, options);
  const recorder = new Recorder(closed, settingsOf(closed, options, backend), options);
  options.onPhase?.(`compiling ${closed.step.kernels.length} operators`);
  const execution = await openExecution(closed, backend, options.fault, recorder.audit);
  try {
    options.onPhase?.(options.resume ? "restoring the newest checkpoint" : "computing the initial state");
    await recorder.begin(execution);
    while (execution.at < closed.steps) {
      if (options.signal) await eventsPass();
      if (options.signal?.aborted) throw await recorder.stop(execution);
      await recorder.step(execution);
    }
    return await recorder.end(execution);
  } finally {
    await recorder.close();
    await execution.close();
  }
}

/** Lets what waits happen, such as a signal: training steps alone could leave it no time. */
const eventsPass = (): Promise<void> =>
  new Promise((resolve) => (globalThis.setImmediate ?? globalThis.setTimeout)(() => resolve()));

class Recorder {
  private readonly job: ClosedJob;
  private readonly settings: RunSettings;
  private readonly options: RunOptions;
  /** What to record of each step's kernels. */
  private readonly wanted: ExecuteOptions;
  private readonly names: string[];
  private readonly manifest: Manifest;
  private readonly proofs: MetricEntries;
  readonly audit: SelfAudit;
  private readonly reports: StepReport[] = [];
  private readonly saturated: RunResult["saturated"] = [];
  private readonly outOfRange: RunResult["outOfRange"] = [];
  private fallback: FallbackSummary | undefined;
  private recording: Recording | undefined;

  constructor(job: ClosedJob, settings: RunSettings, options: RunOptions) {
    this.job = job;
    this.settings = settings;
    this.manifest = manifestOf(job, settings);
    this.options = options;
    this.wanted = settings.detail === "operators" ? { rootsOf: "all" } : {};
    this.names = metricNames(job);
    this.proofs = new MetricEntries(job);
    this.audit = new SelfAudit(job, this.manifest.jobId, { name: settings.backend });
  }

  /** Puts the execution at the first state, or at the newest checkpoint that fits an unfinished trace. */
  async begin(execution: AnyExecution): Promise<void> {
    const { out, resume = false } = this.options;
    if (resume && out === undefined) throw new UsageError("CONFLICT", "no trace to resume: name it with --out");
    if (out !== undefined) this.recording = await Recording.open(out, this.job, this.manifest, this.options);
    const point = this.recording?.point;
    if (point) {
      await execution.restore(point.step, point.state);
      this.reports.push(...point.reports);
      return;
    }
    const report = await execution.initialise(this.wanted);
    await this.record(execution, report, performance.now());
  }

  /**
   * Keeps what makes the run resumable from its last step.
   * @returns the error that tells who waits for the run
   */
  async stop(execution: AnyExecution): Promise<RunError> {
    const { out, signal } = this.options;
    const { at: step } = execution;
    const { steps } = this.job;
    if (this.recording && step > 0 && !this.isDue(step))
      await this.recording.stop(step, await execution.state(), await execution.stateRoot());
    const then =
      out === undefined
        ? "nothing is kept, because it has no trace (--out)"
        : `${out} is kept: continue it with --resume`;
    const error = new RunError("STOPPED", `the run was stopped after training step ${step} of ${steps}; ${then}`, {
      step,
      steps,
      ...(out !== undefined && { out }),
    });
    error.cause = signal?.reason;
    return error;
  }

  async step(execution: AnyExecution): Promise<void> {
    const began = performance.now();
    this.options.onPhase?.(`training step ${execution.at + 1}`);
    const report = await execution.advance(this.wanted);
    await this.record(execution, report, began);
  }

  private async record(
    execution: AnyExecution,
    { outOfRange, roots, fallback }: ExecuteReport,
    began: number,
  ): Promise<void> {
    const { at: step } = execution;
    const { job, settings, options, names } = this;
    const committed = isCommitted(step, job.steps, settings.commitEvery);
    if (committed) options.onPhase?.(`hashing the state of step ${step}`);
    const entryRoots = committed ? await execution.entryRoots() : undefined;
    const root = entryRoots && stateRoot(entryRoots);
    const metrics = await execution.metrics();
    const report: StepReport = { metrics, ...(root && { root }) };
    const kept = await this.checkpoint(execution);
    const record = {
      step,
      ...report,
      ...(entryRoots && this.recording && { metricsProof: this.proofs.prove(entryRoots) }),
      ...(roots.size > 0 && { opRoots: [...roots.values()] }),
      ...(entryRoots && step === 0 && job.init.kind === "checkpoint" && { entryRoots }),
    };
    await this.recording?.step(record, kept);
    this.reports.push(report);
    const graph = step === 0 && job.init.kind === "graph" ? job.init.graph : job.step;
    for (const { kernel, count } of outOfRange) this.outOfRange.push({ step, label: graph.labels[kernel], count });
    this.fallback = addFallback(this.fallback, fallback, graph);
    const named = namedMetrics(names, metrics);
    for (const [name, value] of Object.entries(named))
      if (isSaturated(value)) this.saturated.push({ step, tensor: name });
    const seconds = (performance.now() - began) / 1000;
    options.onStep?.({
      step,
      steps: job.steps,
      metrics: named,
      seconds,
      unitsPerSecond: step === 0 ? 0 : job.unit.perStep / seconds,
      ...(root && { root }),
    });
  }

  private isDue(step: number): boolean {
    return isCheckpoint(step, this.job.steps, this.settings.checkpointEvery);
  }

  /** @returns whether a checkpoint was due */
  private async checkpoint(execution: AnyExecution): Promise<boolean> {
    const { at: step } = execution;
    if (!this.isDue(step)) return false;
    const state = await execution.state();
    for (const tensor of state) if (hasSaturated(tensor)) this.saturated.push({ step, tensor: tensor.name });
    await this.recording?.checkpoint(step, state);
    return true;
  }

  async end(execution: AnyExecution): Promise<RunResult> {
    const segmentRoots = this.reports.flatMap(({ root }) => (root ? [root] : []));
    const runRoot = runRootOf(this.manifest.jobId, this.settings.commitEvery, segmentRoots);
    await this.recording?.end(runRoot);
    const metrics = this.reports.map((report) => namedMetrics(this.names, report.metrics));
    const { saturated, outOfRange, fallback, audit: { summary: audit } } = this; // prettier-ignore
    const state = await execution.state();
    return { runRoot, segmentRoots, metrics, state, saturated, outOfRange, audit, ...(fallback && { fallback }) };
  }

  async close(): Promise<void> {
    await this.recording?.close();
  }
}

const hasSaturated = ({ dtype, data }: Tensor): boolean => dtype === "f32" && data.some(isSaturated);
