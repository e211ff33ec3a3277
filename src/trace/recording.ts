/**
 * The files of a run while it is recorded: its trace, its data folder, and the lock on both. Nothing that
 * exists is overwritten or dropped, unless the caller says so with `force`.
 */
import { fs, path as paths } from "../encoding/node.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { UsageError } from "../errors/index.ts";
import { exists } from "../files/regular.ts";
import { makeFolder } from "../files/folder.ts";
import type { FileLock } from "../files/lock.ts";
import { writeSafetensors } from "../formats/safetensors-file.ts";
import type { ClosedJob, NamedTensor } from "../job/closed.ts";
import type { RunRoot } from "./commitments.ts";
import { CheckpointFiles } from "./checkpoint-files.ts";
import { checkpointPath, datasetPath, empty, isTrace, lockTrace } from "./folder.ts";
import type { Manifest } from "./manifest.ts";
import { OBSERVED } from "./observed-file.ts";
import type { StepRecord } from "./records.ts";
import type { RootOf } from "./open.ts";
import { findResumePoint, type ResumePoint, type Wanted } from "./resume.ts";
import type { Snapshot } from "./snapshot.ts";
import { dataFolder, isDataFile, isStopped, otherTrace, stepOfStopped, stoppedFile } from "./source.ts";
import { TraceWriter } from "./writer.ts";

export interface RecordingOptions {
  resume?: boolean;
  force?: boolean;
  /** Continue before the first damaged record; default: that is an error. */
  cut?: boolean;
  /** Whether the dataset and a given initial state are written, too; default: true. */
  inputs?: boolean;
  /** Hashes a state that was read from a file. */
  rootOf?: RootOf;
  /** A clock, in milliseconds. */
  now?: () => number;
  /** Bytes from which on a checkpoint is written by a second thread. */
  threaded?: number;
}

interface StopOptions {
  records?: readonly StepRecord[];
  both?: boolean;
}

/** The most records that wait for a checkpoint; then the run waits. */
const MOST_WAITING = 4096;

/**
 * A checkpoint is written while the run continues. Records of later steps wait for it, so that the checkpoint
 * of a record always exists.
 */
export class Recording {
  /** Where to continue; absent: at the beginning. */
  readonly point: ResumePoint | undefined;
  private readonly out: string;
  private readonly locks: readonly FileLock[];
  /** Absent when the trace is finished, so that nothing is written to it. */
  private writer: TraceWriter | undefined;
  /** The manifest of the trace; absent until `decide`, where a run measures first. */
  manifest: Manifest | undefined;
  /** What the newest checkpoint took, until the disk had it. */
  writeSeconds = 0;
  private readonly now: () => number;
  private readonly files: CheckpointFiles;
  /** The records before the manifest. */
  private readonly early: { record: StepRecord; durable: boolean }[] = [];
  /** Everything that was given so far, in its order. */
  private written: Promise<void> = Promise.resolve();
  /** The records that wait for a checkpoint, and those of checkpoints. */
  private waiting = 0;
  private checkpoints = 0;
  /** The step of the last state that `stop` has kept, or from which the run continues. */
  private kept: number | undefined;

  private constructor(
    out: string,
    locks: readonly FileLock[],
    writer: TraceWriter | undefined,
    point: ResumePoint | undefined,
    manifest: Manifest | undefined,
    { now = () => performance.now(), threaded }: RecordingOptions,
  ) {
    this.out = out;
    this.locks = locks;
    this.writer = writer;
    this.point = point;
    this.manifest = manifest;
    this.now = now;
    this.kept = point?.step;
    this.files = new CheckpointFiles(threaded);
  }

  /**
   * Begins a trace, or continues one.
   * @throws {UsageError} when something exists that would be overwritten or dropped
   * @throws {FileError} when another process writes to the trace, or a file can't be written
   * @throws {JobError | FormatError} when the trace to continue belongs to another run, or is altered
   */
  static async open(out: string, job: ClosedJob, wanted: Wanted, options: RecordingOptions): Promise<Recording> {
    const { resume = false, force = false, inputs = true, cut, rootOf } = options;
    const folder = dataFolder(out);
    await makeFolder(paths.dirname(folder));
    const locks = await lockTrace(out);
    try {
      await checkFolder(out, folder);
      const there = await exists(out);
      if (there && !resume && !force)
        throw new UsageError("EXISTS", `${out} exists; choose another name, --resume it, or overwrite it with --force`, { out }); // prettier-ignore
      const point = there && resume ? await findResumePoint(out, wanted, { force, cut, rootOf }) : undefined; // prettier-ignore
      if (!point && !force) await checkNothingIsDropped(out, folder, there);
      const { checkpointEvery } = wanted;
      const manifest = point?.manifest ?? (checkpointEvery === undefined ? undefined : { ...wanted, checkpointEvery });
      const writer = await writerFor(out, manifest, point);
      await makeFolder(folder);
      // What a run left that did not end: drafts, and without a point of it also everything else.
      await empty(folder, (name) => isDraft(name) || (!point && (isOwn(name) || name === OBSERVED)));
      if (inputs) await writeInputs(out, job);
      return new Recording(out, locks, writer, point, manifest, options);
    } catch (error) {
      for (const lock of locks) lock.release();
      throw error;
    }
  }

  /** Whether a checkpoint is being written. */
  get isWriting(): boolean {
    return this.checkpoints > 0;
  }

  /**
   * Writes a step. It returns when the record is written, or when it waits for a checkpoint.
   * @param checkpoint the state after the step, if it is kept; then the disk has it before the record. Its
   * memory may be handed over to another thread; what is unread is read until `untilWritten` returns
   * @throws {FileError} when this step or an earlier one could not be written
   */
  async step(record: StepRecord, checkpoint?: Snapshot["tensors"]): Promise<void> {
    if (checkpoint) this.checkpoints++;
    this.waiting++;
    const written = this.written.then(async () => {
      const began = this.now();
      if (checkpoint) {
        await this.files.write(checkpointPath(this.out, record.step), checkpoint);
        this.writeSeconds = (this.now() - began) / 1000;
      }
      if (!this.manifest) this.early.push({ record, durable: checkpoint !== undefined });
      else await this.writer?.step(record, checkpoint !== undefined);
      // The checkpoint replaces the state of an earlier stop.
      if (checkpoint) await empty(dataFolder(this.out), isStopped);
    });
    const ended = (): void => {
      if (checkpoint) this.checkpoints--;
      this.waiting--;
    };
    written.then(ended, ended);
    this.written = written;
    if (!this.isWriting || this.waiting > MOST_WAITING) await written;
  }

  /** Begins the trace with a manifest, and writes the records that waited for it. */
  async decide(manifest: Manifest): Promise<void> {
    await this.written;
    this.writer = await TraceWriter.create(this.out, manifest);
    this.manifest = manifest;
    for (const { record, durable } of this.early.splice(0)) await this.writer.step(record, durable);
  }

  /**
   * Returns when everything that was given is written.
   * @throws {FileError} when something could not be written
   */
  async untilWritten(): Promise<void> {
    await this.written;
  }

  /**
   * Keeps the state after the last record, so that a run which is stopped loses no step.
   * @param options.records those up to this step that are not written yet
   * @param options.both whether the state that was kept before stays, in case this one is damaged
   */
  async stop(step: number, state: readonly NamedTensor[], root: StateRoot, options: StopOptions = {}): Promise<void> {
    const { records = [], both = false } = options;
    if (!this.writer) return;
    if (records.length > 0) await this.writer.steps(records);
    await this.writer.sync();
    const folder = dataFolder(this.out);
    const name = stoppedFile(step, this.writer.tail, root);
    await writeSafetensors(paths.join(folder, name), state);
    const isBefore = (other: string): boolean => both && stepOfStopped(other) === this.kept;
    await empty(folder, (other) => isStopped(other) && other !== name && !isBefore(other));
    this.kept = step;
  }

  async end(root: RunRoot): Promise<void> {
    await this.untilWritten();
    await this.writer?.end(root);
  }

  async close(): Promise<void> {
    try {
      // An error here was thrown where the run noticed it, or the run ends with another one.
      await this.written.catch(() => undefined);
      await this.files.close();
      await this.writer?.close();
    } finally {
      for (const lock of this.locks) lock.release();
    }
  }
}

/** Two names, such as `a` and `a.trace`, have one data folder. Only one of them can be a trace. */
async function checkFolder(out: string, folder: string): Promise<void> {
  const other = otherTrace(out);
  if (await isTrace(other))
    throw new UsageError("EXISTS", `${out} would have the data folder ${folder}, which belongs to ${other}; choose another name, or move ${other} and its folder away`, { out, folder, other }); // prettier-ignore
}

async function checkNothingIsDropped(out: string, folder: string, there: boolean): Promise<void> {
  const names = (await fs.readdir(folder).catch(() => [])).filter(isOwn);
  // A trace of no more than its initial state lost nothing when it is begun again.
  const first = /^(dataset|step-0+)\.safetensors$/;
  const dropped = there ? names.filter((name) => !first.test(name)) : names;
  if (dropped.length === 0) return;
  const why = there ? `${out} has no records for them` : `there is no ${out}`;
  throw new UsageError("EXISTS", `${folder} holds files of an earlier run (${dropped[0]}${dropped.length > 1 ? ", and more" : ""}), and ${why}; restore the trace, move the folder away, or overwrite it with --force`, { out, folder, files: dropped.slice(0, 64) }); // prettier-ignore
}

async function writerFor(
  out: string,
  manifest: Manifest | undefined,
  point: ResumePoint | undefined,
): Promise<TraceWriter | undefined> {
  if (!manifest) await TraceWriter.reserve(out);
  if (!manifest || point?.finished) return undefined;
  return point ? TraceWriter.resume(out, manifest, point.tail) : TraceWriter.create(out, manifest);
}

/** Writes what can't be recomputed: the dataset, and an initial state that is given as a checkpoint. */
async function writeInputs(out: string, { dataset, init }: ClosedJob): Promise<void> {
  if (dataset.length > 0) await writeSafetensors(datasetPath(out), dataset);
  if (init.kind === "checkpoint") await writeSafetensors(checkpointPath(out, 0), init.state);
}

const isOwn = (name: string): boolean => isDataFile(name) || isStopped(name);
const isDraft = (name: string): boolean => /\.safetensors(\.[0-9a-f]{8})?\.new$/.test(name);
