/**
 * The trace of a leaf that is not finished: the beginning of its ordinary run, with its newest states. A leaf
 * that was cut off continues from it. It is a note of the owner's to itself: nothing that is signed depends
 * on it.
 */
import { fs } from "../encoding/node.ts";
import { type StateRoot, stateRoot, type TensorRoot } from "../encoding/tensor.ts";
import { FileError, messageOf, unwritable, VerdeError } from "../errors/index.ts";
import { isLocked } from "../files/lock.ts";
import { exists } from "../files/regular.ts";
import type { ClosedJob } from "../job/closed.ts";
import { discard } from "../repops/backends/host.ts";
import type { AnyExecution } from "../trace/execution.ts";
import type { Manifest } from "../trace/manifest.ts";
import { MetricEntries } from "../trace/metrics.ts";
import { Recording } from "../trace/recording.ts";
import type { StepRecord } from "../trace/records.ts";
import { dataFolder } from "../trace/source.ts";
import { type LeafNews, problemOf, whyAnew } from "./leaf-news.ts";
import { fileOf } from "./leaf-note.ts";
import type { LeafPlace, Plan } from "./plan.ts";

/** Where a leaf keeps its states while it is computed, and how often. */
export interface LeafCheckpoints {
  /** The trace: `rounds/0003/local-2.trace` in the record's folder. */
  readonly file: string;
  /** In training steps; 0: never. Absent: once a minute, and less often where writing takes long. */
  readonly every?: number | undefined;
  /** The traces of the seat's earlier leaves, which are removed when this one gets its file. */
  earlier?(): string[];
  onNews?(news: LeafNews): void;
  /** A clock, in milliseconds. */
  now?(): number;
}

/** What becomes of the checkpoints of leaves, and how often there are some. */
export interface CheckpointOptions {
  /** As `LeafCheckpoints.every`. */
  readonly every?: number | undefined;
  onNews?(place: LeafPlace, news: LeafNews): void;
}

/** How a leaf's run is recorded. */
export type LeafManifest = Omit<Manifest, "checkpointEvery" | "detail">;

/** What a trace has of the steps before the one after which the leaf continues. */
export interface LeafBefore {
  readonly step: number;
  /** The root of the first state. */
  readonly start: StateRoot;
  /** The bit patterns of the metrics after each step, from step 1. */
  readonly metrics: readonly (readonly number[])[];
}

/** Milliseconds between checkpoints. */
const MINUTE = 60_000;
/** Making checkpoints takes at most a tenth of the time. */
const SHARE = 9;
/** Families of errors that say that a trace is no beginning of the leaf's run, or is damaged. */
const CONTENT: ReadonlySet<string> = new Set(["VERDE_FORMAT", "VERDE_JOB", "VERDE_VALUE", "VERDE_GRAPH", "VERDE_SHAPE", "VERDE_PROGRAM"]); // prettier-ignore
/** Milliseconds for which another process may still have the trace, and the pause between two looks. */
const MOST_WAIT = 60_000;
const PAUSE = 100;

/** @throws {FileError} LOCKED when another process has the trace for longer than a minute */
async function opened(open: () => Promise<Recording>, { onNews, now = Date.now }: LeafCheckpoints): Promise<Recording> {
  const end = now() + MOST_WAIT;
  for (let told = false; ; told = true)
    try {
      return await open();
    } catch (error) {
      if (!isLocked(error) || now() > end) throw error;
      if (!told) onNews?.({ kind: "waiting", why: problemOf(error) });
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
}

/** The trace of a leaf in execution. Its file is made with the first checkpoint. */
export class LeafTrace {
  private readonly checkpoints: LeafCheckpoints;
  private readonly manifest: Manifest;
  private readonly job: ClosedJob;
  private readonly now: () => number;
  private recording: Recording | undefined;
  /** The records since the last checkpoint. The file needs them with the next one. */
  private records: StepRecord[] = [];
  /** When the last checkpoint was made, or the leaf was begun; and what a checkpoint takes. */
  private since: number;
  private took = 0;
  private isKept = true;

  private constructor(checkpoints: LeafCheckpoints, manifest: LeafManifest, job: ClosedJob) {
    this.checkpoints = checkpoints;
    this.manifest = { ...manifest, checkpointEvery: 0, detail: "steps" };
    this.job = job;
    this.now = checkpoints.now ?? (() => performance.now());
    this.since = this.now();
  }

  /**
   * Puts the execution at the newest state of an earlier try, if there is one of the same job.
   * @param job as the leaf executes it
   */
  static async open(
    checkpoints: LeafCheckpoints,
    manifest: LeafManifest,
    job: ClosedJob,
    execution: AnyExecution,
  ): Promise<{ trace: LeafTrace; before: LeafBefore | undefined }> {
    const trace = new LeafTrace(checkpoints, manifest, job);
    return { trace, before: await trace.continued(execution) };
  }

  private async continued(execution: AnyExecution): Promise<LeafBefore | undefined> {
    const { file, onNews } = this.checkpoints;
    if (!(await exists(file))) return undefined;
    const anew = async (why: string): Promise<undefined> => {
      onNews?.({ kind: "anew", why });
      await removeTrace(file).catch((error: unknown) => this.unkept(error));
    };
    try {
      const rootOf = async (step: number, state: Parameters<AnyExecution["restore"]>[1]) => {
        await execution.restore(step, state);
        return execution.stateRoot();
      };
      this.recording = await opened(() => Recording.open(file, this.job, this.wanted, { resume: true, force: true, cut: true, inputs: false, rootOf }), this.checkpoints); // prettier-ignore
    } catch (error) {
      if (error instanceof VerdeError && CONTENT.has(error.family)) return anew(whyAnew(error));
      return this.unkept(error);
    }
    const { point } = this.recording;
    if (!point) {
      await this.close();
      return anew("no state of its trace is whole");
    }
    const { step, state, reports, damage } = point;
    await execution.restore(step, state);
    state.forEach(discard);
    onNews?.({ kind: "continued", step, steps: this.job.steps, ...(damage.length > 0 && { damage: problemOf(damage[0]) }) }); // prettier-ignore
    return { step, start: reports[0].root!, metrics: reports.slice(1).map(({ metrics }) => metrics) };
  }

  private get wanted() {
    return { ...this.manifest, auto: [] };
  }

  private isDue(step: number): boolean {
    const { every } = this.checkpoints;
    if (step === 0) return false;
    if (every !== undefined) return every > 0 && step % every === 0;
    return this.now() - this.since >= Math.max(MINUTE, SHARE * this.took);
  }

  /**
   * Records the execution's present step, and keeps the state after it when that is due.
   * @param metrics their bit patterns
   * @param roots of the first state's entries, in step 0
   */
  async step(execution: AnyExecution, metrics: readonly number[], roots?: readonly TensorRoot[]): Promise<void> {
    const { at: step, job } = execution;
    // Nobody continues from the last step.
    if (!this.isKept || this.checkpoints.every === 0 || step === job.steps) return;
    const proof = roots && { root: stateRoot(roots), metricsProof: new MetricEntries(job).prove(roots) };
    this.records.push({ step, metrics, ...proof });
    try {
      if (this.isDue(step)) await this.keep(execution);
    } catch (error) {
      await this.unkept(error);
    }
  }

  private async keep(execution: AnyExecution): Promise<void> {
    const { file, earlier } = this.checkpoints;
    const began = this.now();
    if (!this.recording) {
      for (const each of earlier?.() ?? []) await removeTrace(each);
      this.recording = await opened(() => Recording.open(file, this.job, this.wanted, { force: true, inputs: false }), this.checkpoints); // prettier-ignore
    }
    const state = await execution.state();
    const records = this.records.splice(0);
    await this.recording.stop(execution.at, state, await execution.stateRoot(), { records, both: true });
    state.forEach(discard);
    this.since = this.now();
    this.took = this.since - began;
  }

  /** A full disk, or a trace that another process has, costs the leaf its checkpoints and nothing else. */
  private async unkept(error: unknown): Promise<undefined> {
    if (!(error instanceof FileError)) throw error;
    this.isKept = false;
    this.records = [];
    this.checkpoints.onNews?.({ kind: "unkept", why: messageOf(error) });
    await this.close();
  }

  /** Lets go of the files. They stay. */
  async close(): Promise<void> {
    await this.recording?.close().catch(() => undefined);
    this.recording = undefined;
  }
}

/** Removes a trace with its states. @throws {FileError} when the system does not let it */
export async function removeTrace(file: string): Promise<void> {
  for (const each of [file, dataFolder(file)])
    await fs.rm(each, { recursive: true, force: true, maxRetries: 3 }).catch((cause: unknown) => {
      throw unwritable(each, cause);
    });
}

/** Where a leaf keeps its states in a record's folder. */
export function checkpointsOf(
  folder: string,
  plan: Plan,
  { round, seat }: LeafPlace,
  { every, onNews }: CheckpointOptions = {},
): LeafCheckpoints {
  const fileIn = (each: number): string => fileOf(folder, plan, { round: each, seat }, ".trace");
  return {
    file: fileIn(round),
    every,
    earlier: () => Array.from({ length: round }, (_, each) => fileIn(each)),
    onNews: (news) => onNews?.({ round, seat }, news),
  };
}
