/** An opened trace. Its file was read and checked once; its records are read again when they are needed. */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { isCommitted, type RunRoot } from "./commitments.ts";
import type { StepLayout } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import { chain, decodeStep, HEAD, KIND, type StepRecord, TAIL, type Tail } from "./records.ts";
import type { TraceSource } from "./source.ts";
import { type Packed, PIECE, Window } from "./window.ts";

/** The bytes of a record's hash that are kept, to see whether the file has changed since it was checked. */
export const MARK = 8;

/** What reading a trace's file once gives. */
export interface TraceContent {
  source: TraceSource;
  manifest: Manifest;
  layout: StepLayout;
  /** Where the record of step 0 begins, in bytes. */
  start: number;
  /** The beginning of the hash of each step's record. */
  marks: Packed;
  /** The roots of the committed states. */
  roots: Packed;
  /** The place after the last complete record. */
  tail: Tail;
  /** The end record's root; absent when the file is a prefix of a run. */
  runRoot?: RunRoot;
  /** The process that is writing the rest of the run. */
  writer?: string;
}

/**
 * A trace that was read and that is consistent in itself. In memory it has 40 bytes for each step, at most;
 * everything else stays in the file.
 */
export class Trace {
  readonly source: TraceSource;
  readonly manifest: Manifest;
  /** Present when the run was finished; then it follows from the records. */
  readonly runRoot?: RunRoot;
  /** The place after the last complete record. */
  readonly tail: Tail;
  /** The process that was writing the trace when it was opened, for people: its number and its command. */
  readonly writer?: string;
  private readonly content: TraceContent;
  private known: readonly StateRoot[] | undefined;

  constructor(content: TraceContent) {
    const { source, manifest, tail, runRoot, writer } = content;
    this.content = content;
    this.source = source;
    this.manifest = manifest;
    this.tail = tail;
    if (runRoot) this.runRoot = runRoot;
    if (writer !== undefined) this.writer = writer;
  }

  get path(): string {
    return this.source.path;
  }

  /** Whether the run was finished. */
  get complete(): boolean {
    return this.runRoot !== undefined;
  }

  /** The number of recorded states: that of the last recorded step, plus one for the initial state. */
  get recorded(): number {
    return this.content.marks.length;
  }

  /** How many of the recorded states are committed to. */
  get committed(): number {
    return this.content.roots.length;
  }

  /** The roots of the initial state and of the state after each segment, as far as the file goes. */
  get segmentRoots(): readonly StateRoot[] {
    const { roots } = this.content;
    return (this.known ??= Array.from({ length: roots.length }, (_, i) => roots.at(i) as StateRoot));
  }

  /**
   * The root of the state after a step. `undefined` where the trace does not commit to it, or has no record.
   * It proves the metrics of its step; without it they are only claimed.
   */
  rootOf(step: number): StateRoot | undefined {
    const { layout, roots } = this.content;
    if (step < 0 || step >= this.recorded || !isCommitted(step, layout.steps, layout.commitEvery)) return undefined;
    return roots.at(layout.rootsBefore(step)) as StateRoot | undefined;
  }

  /**
   * The record of a step, from the file.
   * @throws {FormatError} when there is none, or the file was changed since it was opened
   */
  async record(step: number): Promise<StepRecord> {
    for await (const record of this.records(step, step)) return record;
    throw this.missing(step);
  }

  /**
   * The records of several steps, from the file.
   * @param from the first step
   * @param to the last step, included
   * @param stride every how many steps; the default is every one
   * @throws {FormatError} when there is no such record, or the file was changed since it was opened
   */
  async *records(from = 0, to = this.recorded - 1, stride = 1): AsyncGenerator<StepRecord> {
    if (from > to) return;
    if (!(from >= 0)) throw this.missing(from);
    if (!(to < this.recorded)) throw this.missing(to);
    const file = await this.source.trace();
    try {
      // Neighbours are read in long pieces. Records that are not wanted are not read.
      const window = new Window(file, stride === 1 ? Math.min(this.begin(to + 1) - this.begin(from), PIECE) : 0);
      for (let step = from; step <= to; step += stride) yield await this.read(window, step);
    } finally {
      await file.close();
    }
  }

  /**
   * The place after a step's record, from which its run can be continued.
   * @throws {FormatError} when there is no such record, or the file was changed since it was opened
   */
  async tailOf(step: number): Promise<Tail> {
    const offset = this.begin(step + 1);
    const file = await this.source.trace();
    try {
      const hash = await new Window(file, 0).bytes(offset - TAIL, TAIL);
      this.expectMark(step, hash);
      return { offset, hash: hash.slice() };
    } finally {
      await file.close();
    }
  }

  /** Where the record of a step begins, in bytes. */
  private begin(step: number): number {
    return this.content.start + this.content.layout.offset(step);
  }

  private async read(window: Window, step: number): Promise<StepRecord> {
    const [from, to] = [this.begin(step), this.begin(step + 1)];
    const bytes = await window.bytes(from - TAIL, to - from + TAIL);
    if (!bytes) throw this.changed(step);
    // A copy, so that a record that is kept does not keep a piece of the file.
    const content = bytes.slice(TAIL + HEAD, -TAIL);
    this.expectMark(step, chain(bytes.subarray(0, TAIL), KIND.step, content));
    return decodeStep(content, step, this.content.layout, `${this.path}, record ${step + 1} (step) at byte ${from}`);
  }

  private expectMark(step: number, hash: Bytes | undefined): asserts hash is Bytes {
    const mark = this.content.marks.at(step);
    if (!mark) throw this.missing(step);
    if (!hash || !bytesEqual(hash.subarray(0, MARK), mark)) throw this.changed(step);
  }

  private changed(step: number): FormatError {
    return new FormatError(
      "ALTERED",
      `${this.path} was changed while it was read: the record of step ${step} is another one; read it when nothing writes to it`,
      { path: this.path, step },
    );
  }

  private missing(step: number): FormatError {
    return new FormatError(
      "INDEX",
      `${this.path} has no record of step ${step}; it has steps 0 to ${this.recorded - 1}`,
      { path: this.path, step },
    );
  }
}
