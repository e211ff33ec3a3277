/** Runs a job: commits to its states, and writes the trace and checkpoints during the run. */
import type { StateRoot } from "../encoding/tensor.ts";
import type { ClosedJob, NamedTensor } from "../job/closed.ts";
import type { JobDefinition } from "../job/define.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { openBackendFor } from "./chosen-backend.ts";
import type { RunRoot } from "./commitments.ts";
import { openExecution } from "./drill/faulty.ts";
import type { FallbackSummary } from "./fallback.ts";
import type { Fault } from "./fault.ts";
import type { Detail } from "./manifest.ts";
import type { Divergence, Observed } from "./observations.ts";
import { Recorder } from "./recorder.ts";
import { settingsOf } from "./settings.ts";
import type { AuditSummary } from "./self-audit.ts";
import { eventsPass } from "./turns.ts";

/** What a run reports after each training step. */
export interface StepInfo {
  step: number;
  steps: number;
  metrics: Record<string, number>;
  /** Wall time of this step, without what was left to run beside the next one. */
  seconds: number;
  /** In the job's unit, such as tokens or samples. */
  unitsPerSecond: number;
  /** Present after training steps that are committed to. */
  root?: StateRoot;
  /** Present in the step in which the first sign was seen that training has diverged. */
  diverged?: Divergence;
}

/** How a job is run. Everything is optional: by default the run stays in memory. */
export interface RunOptions {
  /** The path of the trace to write; without it nothing is written. */
  out?: string;
  /** A backend, its name, `auto` (default), or a module that exports one. It is certified first. */
  backend?: Backend | string;
  /**
   * Training steps in a segment. `auto`, the default, is a function of the job alone, so that equal runs have
   * equal run roots everywhere; it is 1 unless the state is large for the work of a step.
   */
  commitEvery?: number | "auto";
  /**
   * A multiple of `commitEvery`; 0: only the first and the last state. `auto`, the default: about ten
   * checkpoints in a run; in a long one it depends on the time of the first step, on the time that a
   * checkpoint takes, and on the disk.
   */
  checkpointEvery?: number | "auto";
  detail?: Detail;
  fault?: Fault;
  /**
   * Makes of the backend one that has a part of each training step executed elsewhere, with the same bits.
   */
  distribute?(backend: Backend): Backend;
  /** Continue a cut or stopped trace from its newest checkpoint. Of a finished one, read it. */
  resume?: boolean;
  /** Overwrite an existing trace; with `resume`: begin again where no checkpoint is left to continue from. */
  force?: boolean;
  /**
   * Stops a run that has diverged: an operator was given magnitudes beyond its clamp range, or its result, a
   * metric or a tensor of the state reached 2^127. With `out`, it can be resumed. Default true, but false
   * with a fault.
   */
  stopOnDivergence?: boolean;
  /** Whether the result has the last state, a copy of it; default true. */
  keepState?: boolean;
  /** Called when something begins that may take long, with what it is: a few words. */
  onPhase?(what: string): void;
  /**
   * Called after each training step, from step 0, the initial state, when the root of its state is there.
   * Where a backend computes roots beside the next step, that is while the next step runs, or when it has
   * ended.
   */
  onStep?(info: StepInfo): void;
  /** Stops the run after the present training step. With `out`, it can be resumed from there. */
  signal?: AbortSignal;
}

/** The commitments and the results of a run. */
export interface RunResult extends Observed {
  runRoot: RunRoot;
  /** The roots of the initial state and of the state after each segment. */
  segmentRoots: StateRoot[];
  /** The metrics of each training step, from step 0. */
  metrics: Record<string, number>[];
  /** The last state; empty with `keepState: false`. */
  state: NamedTensor[];
  /** How often the run was committed to and kept, in training steps. */
  cadence: {
    commitEvery: number;
    checkpointEvery: number;
    /** The most training steps that a dispute about this run executes again. */
    replayedSteps: number;
  };
  /** What the fallback backend executed, because the backend does not list it. */
  fallback?: FallbackSummary;
  /** What the run computed again by the definition. */
  audit: AuditSummary;
}

/**
 * Runs a job from its first state to its last.
 * @throws {UsageError} for options that do not fit together, or when something would be overwritten
 * @throws {FileError} when another process writes the trace, or a file can't be written
 * @throws {RunError} when `signal` stopped it, when training has diverged, or when it found that this machine
 *   computes wrong bits
 * @throws {JobError} when the trace to resume belongs to another run
 * @throws {BackendError | DeviceError} when the backend is not available, or has other bits
 */
export async function run(job: ClosedJob | JobDefinition, options: RunOptions = {}): Promise<RunResult> {
  const closed = "close" in job ? await job.close() : job;
  const opened = await openBackendFor(closed, options);
  const backend = options.distribute?.(opened.backend) ?? opened.backend;
  const recorder = new Recorder(closed, settingsOf(closed, options, backend), options);
  options.onPhase?.(`compiling ${closed.step.kernels.length} operators`);
  const { stopOnDivergence = options.fault === undefined } = options;
  const execution = await openExecution(closed, backend, options.fault, recorder.audit);
  try {
    options.onPhase?.(options.resume ? "restoring the newest checkpoint" : "computing the initial state");
    await recorder.begin(execution);
    const checkDivergence = async (): Promise<void> => {
      const { divergence } = recorder;
      if (divergence && stopOnDivergence && !recorder.isFinished) throw await recorder.stop(execution, divergence);
    };
    while (execution.at < closed.steps) {
      if (options.signal || recorder.isWriting) await eventsPass();
      if (options.signal?.aborted) throw await recorder.stop(execution);
      await checkDivergence();
      await recorder.step(execution);
    }
    // The last step too may be the first that has diverged.
    await recorder.untilReported();
    await checkDivergence();
    return await recorder.end(execution);
  } finally {
    await recorder.close();
    await execution.close();
  }
}
