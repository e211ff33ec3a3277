/** Running a job: every state committed to, the trace written as it goes, checkpoints beside it. */
import { fs, path } from "../encoding/node.ts";
import { type StateRoot, type Tensor } from "../encoding/tensor.ts";
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
import { type AnyExecution, namedMetrics } from "./execution.ts";
import type { Fault } from "./fault.ts";
import { checkpointPath, datasetPath } from "./folder.ts";
import { type Detail, type Manifest, manifestOf, type RunSettings } from "./manifest.ts";
import { metricNames } from "./open.ts";
import type { StepRecord } from "./records.ts";
import { findResumePoint } from "./resume.ts";
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
  /** Of the job's unit: tokens, samples. */
  unitsPerSecond: number;
  /** After steps that are committed to. */
  root?: StateRoot;
}

/** How a job is run. Nothing has to be given: then the run is held in memory, on WASM. */
export interface RunOptions {
  /** The trace to write; absent: nothing is written. */
  out?: string;
  /** `wasm` unless given: a backend, its name, `auto`, or the file of a module that exports one. It is certified first. */
  backend?: Backend | string;
  /** Steps in a segment; 1. */
  commitEvery?: number;
  /** A multiple of `commitEvery`; 0 for the first and last state alone; about ten over the run unless given. */
  checkpointEvery?: number;
  detail?: Detail;
  fault?: Fault;
  /** Go on with a trace that was cut off. */
  resume?: boolean;
  /** Overwrite an existing trace. */
  force?: boolean;
  /** Called after each step, from step 0, the initial state. */
  onStep?(info: StepInfo): void;
  signal?: AbortSignal;
}

/** What a run commits to, and what it has learned. */
export interface RunResult {
  runRoot: RunRoot;
  /** Of the initial state and after each segment. */
  segmentRoots: StateRoot[];
  /** By step, from 0. */
  metrics: Record<string, number>[];
  state: NamedTensor[];
  /** Values that came to the end of the range: training has diverged. */
  saturated: { step: number; tensor: string }[];
  /** Reads of gathers outside their source, which gave the fill value. */
  outOfRange: { step: number; label: string; count: number }[];
  /** What the backend does not list and another one ran. */
  fallback?: FallbackSummary;
}

/**
 * Runs a job from its first state to its last.
 * @throws {UsageError} for options that do not fit, {JobError} when a trace that is to be resumed is of another run
 * @throws {BackendError} when the backend is not there, {DeviceError} when it does not have the bits of the specification
 */
export async function run(job: ClosedJob | JobDefinition, options: RunOptions = {}): Promise<RunResult> {
  const closed = "close" in job ? await job.close() : job;
  const { backend } = await openBackend(options.backend ?? DEFAULT);
  const settings = settingsOf(closed, options, backend);
  const recorder = new Recorder(closed, settings, options);
  const execution = await openExecution(closed, backend, options.fault);
  try {
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

function settingsOf(job: ClosedJob, options: RunOptions, backend: Backend): RunSettings {
  const { commitEvery = 1, detail = "steps", fault } = options;
  if (!Number.isInteger(commitEvery) || commitEvery < 1 || commitEvery >= 2 ** 31)
    throw new UsageError("VALUE", `a root every ${commitEvery} steps; take 1 to 2^31 - 1`, { commitEvery });
  const checkpointEvery = options.checkpointEvery ?? commitEvery * Math.ceil(job.steps / 10 / commitEvery);
  if (!Number.isInteger(checkpointEvery) || checkpointEvery < 0 || checkpointEvery % commitEvery !== 0)
    throw new UsageError(
      "VALUE",
      `a checkpoint every ${checkpointEvery} steps does not fit a root every ${commitEvery}; take a multiple`,
      { checkpointEvery, commitEvery },
    );
  return { commitEvery, checkpointEvery, detail, backend: backend.name, ...(fault && { fault }) };
}

class Recorder {
  private readonly job: ClosedJob;
  private readonly settings: RunSettings;
  private readonly options: RunOptions;
  /** Of each step's kernels. */
  private readonly wanted: ExecuteOptions;
  private readonly names: string[];
  private readonly manifest: Manifest;
  private readonly records: StepRecord[] = [];
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
  }

  /** Brings the execution to the first state, or to the newest one that an unfinished trace vouches for. */
  async begin(execution: AnyExecution): Promise<void> {
    const { out, resume = false, force = false } = this.options;
    if (resume && out === undefined) throw new UsageError("CONFLICT", "no trace to resume: name it with --out");
    const exists = out !== undefined && (await fs.access(out).then(yes, no));
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

  /** Whether there was anything to go on with. */
  private async continue(out: string, execution: AnyExecution): Promise<boolean> {
    const point = await findResumePoint(out, this.manifest);
    if (!point) return false;
    await this.writeInputs(out);
    await execution.restore(point.step, point.state);
    this.records.push(...point.records);
    this.writer = await TraceWriter.resume(out, point.tail);
    return true;
  }

  /** What the trace commits to by its root alone, and nothing but a file can bring back. */
  private async writeInputs(out: string): Promise<void> {
    const { dataset, init } = this.job;
    if (dataset.length > 0) await writeSafetensors(datasetPath(out), dataset);
    if (init.kind === "checkpoint") await writeSafetensors(checkpointPath(out, 0), init.state);
  }

  async step(execution: AnyExecution): Promise<void> {
    const began = performance.now();
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
    const root = isCommitted(step, job.steps, settings.commitEvery) ? await execution.stateRoot() : undefined;
    const metrics = await execution.metrics();
    const record: StepRecord = {
      step,
      metrics,
      ...(root && { root }),
      ...(roots.size > 0 && { opRoots: [...roots.values()] }),
    };
    const kept = await this.checkpoint(execution);
    await this.writer?.step(record, kept);
    this.records.push(record);
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

  /** Before the step's record is written, so that a record's checkpoint is there. Gives whether one was due. */
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
    const segmentRoots = this.records.flatMap(({ root }) => (root ? [root] : []));
    const runRoot = runRootOf(this.manifest.jobId, this.settings.commitEvery, segmentRoots);
    await this.writer?.end(runRoot);
    const metrics = this.records.map((record) => namedMetrics(this.names, record.metrics));
    const { saturated, outOfRange, fallback } = this;
    const state = await execution.state();
    return { runRoot, segmentRoots, metrics, state, saturated, outOfRange, ...(fallback && { fallback }) };
  }

  async close(): Promise<void> {
    await this.writer?.close();
  }
}

/** The folder of a new trace, without checkpoints of an older one. */
async function emptyFolder(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true });
  const old = (await fs.readdir(folder)).filter((name) => /^(step-\d+|dataset)\.safetensors(\.new)?$/.test(name));
  for (const name of old) await fs.rm(path.join(folder, name));
}

const [yes, no] = [(): boolean => true, (): boolean => false];

function hasSaturated({ dtype, data }: Tensor): boolean {
  return dtype === "f32" && data.some(isSaturated);
}
