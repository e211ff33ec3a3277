/** Runs a job: commits to its states, and writes the trace and checkpoints during the run. */
import { fs, path } from "../encoding/node.ts";
import { type StateRoot, stateRoot, type Tensor } from "../encoding/tensor.ts";
import { UsageError } from "../errors/index.ts";
import { type ClosedJob, type NamedTensor } from "../job/closed.ts";
import type { JobDefinition } from "../job/define.ts";
import { openBackend } from "../certify/open-backend.ts";
import type { Backend, ExecuteOptions, ExecuteReport } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { isSaturated } from "../repops/numbers/vf32.ts";
import { addFallback, type FallbackSummary } from "./fallback.ts";
import { isCommitted, type RunRoot, runRootOf } from "./commitments.ts";
import { openExecution } from "./drill/faulty.ts";
import type { AnyExecution } from "./execution.ts";
import type { Fault } from "./fault.ts";
import { checkpointPath, datasetPath } from "./folder.ts";
import { type Detail, type Manifest, manifestOf, type RunSettings } from "./manifest.ts";
import { settingsOf } from "./settings.ts";
import { MetricEntries, metricNames, namedMetrics } from "./metrics.ts";
import { findResumePoint, type StepReport } from "./resume.ts";
import { writeSafetensors } from "../formats/safetensors-file.ts";
import { dataFolder } from "./source.ts";
import { TraceWriter } from "./writer.ts";

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

/** How a job is run. Everything is optional: by default the run stays in memory, on WASM. */
export interface RunOptions {
  /** The path of the trace to write; without it nothing is written. */
  out?: string;
  /** A backend, its name, `auto`, or the file of a module that exports one; `wasm`. It is certified first. */
  backend?: Backend | string;
  /** Training steps in a segment; default 1. */
  commitEvery?: number;
  /** A multiple of `commitEvery`; 0: only the first and the last state; default: about ten checkpoints. */
  checkpointEvery?: number;
  detail?: Detail;
  fault?: Fault;
  /** Continue a trace that was cut off. */
  resume?: boolean;
  /** Overwrite an existing trace. */
  force?: boolean;
  /** Called when something begins that may take long, with what it is: a few words. */
  onPhase?(what: string): void;
  /** Called after each training step, from step 0, the initial state. */
  onStep?(info: StepInfo): void;
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
}

/**
 * Runs a job from its first state to its last.
 * @throws {UsageError} for options that do not fit together
 * @throws {JobError} when the trace to resume belongs to another run
 * @throws {BackendError} when the backend is not available
 * @throws {DeviceError} when the backend does not have the bits of the specification
 */
export async function run(job: ClosedJob | JobDefinition, options: RunOptions = {}): Promise<RunResult> {
  const closed = "close" in job ? await job.close() : job;
  const { backend } = await openBackend(options.backend ?? DEFAULT);
  const recorder = new Recorder(closed, settingsOf(closed, options, backend), options);
  options.onPhase?.(`compiling ${closed.step.kernels.length} operators`);
  const execution = await openExecution(closed, backend, options.fault);
  try {
    options.onPhase?.(options.resume ? "restoring the newest checkpoint" : "computing the initial state");
    await recorder.begin(execution);
    while (execution.at < closed.steps) {
      options.signal?.throwIfAborted();
      await recorder.step(execution);
    }
    return await recorder.end(execution);
  } finally {
    await recorder.close();
    await execution.close();
  }
}

class Recorder {
  private readonly job: ClosedJob;
  private readonly settings: RunSettings;
  private readonly options: RunOptions;
  /** What to record of each step's kernels. */
  private readonly wanted: ExecuteOptions;
  private readonly names: string[];
  private readonly manifest: Manifest;
  private readonly proofs: MetricEntries;
  private readonly reports: StepReport[] = [];
  private readonly saturated: RunResult["saturated"] = [];
  private readonly outOfRange: RunResult["outOfRange"] = [];
  private fallback: FallbackSummary | undefined;
  private writer: TraceWriter | undefined;

  constructor(job: ClosedJob, settings: RunSettings, options: RunOptions) {
    this.job = job;
    this.settings = settings;
    this.manifest = manifestOf(job, settings);
    this.options = options;
    this.wanted = settings.detail === "operators" ? { rootsOf: "all" } : {};
    this.names = metricNames(job);
    this.proofs = new MetricEntries(job);
  }

  /** Puts the execution at the first state, or at the newest checkpoint that fits an unfinished trace. */
  async begin(execution: AnyExecution): Promise<void> {
    const { out, resume = false, force = false } = this.options;
    if (resume && out === undefined) throw new UsageError("CONFLICT", "no trace to resume: name it with --out");
    const exists = out !== undefined && (await fs.access(out).then(() => true, () => false)); // prettier-ignore
    if (exists && !resume && !force)
      throw new UsageError("EXISTS", `${out} exists; choose another name, --resume it, or overwrite it with --force`, {
        out,
      });
    if (exists && resume && (await this.continue(out, execution))) return;
    if (out !== undefined) {
      await emptyFolder(dataFolder(out));
      await this.writeInputs(out);
      this.writer = await TraceWriter.create(out, this.manifest);
    }
    const report = await execution.initialise(this.wanted);
    await this.record(execution, report, performance.now());
  }

  /** @returns whether there was anything to continue */
  private async continue(out: string, execution: AnyExecution): Promise<boolean> {
    const point = await findResumePoint(out, this.manifest);
    if (!point) return false;
    await this.writeInputs(out);
    await execution.restore(point.step, point.state);
    this.reports.push(...point.reports);
    this.writer = await TraceWriter.resume(out, this.manifest, point.tail);
    return true;
  }

  /** Writes what can't be recomputed: the dataset, and an initial state that is given as a checkpoint. */
  private async writeInputs(out: string): Promise<void> {
    const { dataset, init } = this.job;
    if (dataset.length > 0) await writeSafetensors(datasetPath(out), dataset);
    if (init.kind === "checkpoint") await writeSafetensors(checkpointPath(out, 0), init.state);
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
      ...(entryRoots && this.writer && { metricsProof: this.proofs.prove(entryRoots) }),
      ...(roots.size > 0 && { opRoots: [...roots.values()] }),
      ...(entryRoots && step === 0 && job.init.kind === "checkpoint" && { entryRoots }),
    };
    await this.writer?.step(record, kept);
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

  /** Runs before the step's record is written, so its checkpoint always exists. True if one was due. */
  private async checkpoint(execution: AnyExecution): Promise<boolean> {
    const { out } = this.options;
    const { at: step } = execution;
    const { checkpointEvery } = this.settings;
    const due = step === 0 || step === this.job.steps || (checkpointEvery > 0 && step % checkpointEvery === 0);
    if (!due) return false;
    const state = await execution.state();
    for (const tensor of state) if (hasSaturated(tensor)) this.saturated.push({ step, tensor: tensor.name });
    if (out !== undefined) await writeSafetensors(checkpointPath(out, step), state);
    return true;
  }

  async end(execution: AnyExecution): Promise<RunResult> {
    const segmentRoots = this.reports.flatMap(({ root }) => (root ? [root] : []));
    const runRoot = runRootOf(this.manifest.jobId, this.settings.commitEvery, segmentRoots);
    await this.writer?.end(runRoot);
    const metrics = this.reports.map((report) => namedMetrics(this.names, report.metrics));
    const { saturated, outOfRange, fallback } = this;
    const state = await execution.state();
    return { runRoot, segmentRoots, metrics, state, saturated, outOfRange, ...(fallback && { fallback }) };
  }

  async close(): Promise<void> {
    await this.writer?.close();
  }
}

/** Makes the folder of a new trace, and removes the checkpoints of an older one. */
async function emptyFolder(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true });
  const old = (await fs.readdir(folder)).filter((name) => /^(step-\d+|dataset)\.safetensors(\.new)?$/.test(name));
  for (const name of old) await fs.rm(path.join(folder, name));
}

function hasSaturated({ dtype, data }: Tensor): boolean {
  return dtype === "f32" && data.some(isSaturated);
}
