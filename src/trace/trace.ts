/** An opened trace. Its file was read and checked once; its records are read again when they are needed. */
import type { Bytes } from "../encoding/bytes.ts";
import type { LongList } from "../encoding/long-tree.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { isCommitted, type RunRoot } from "./commitments.ts";
import type { StepLayout } from "./layout.ts";
import type { Manifest } from "./manifest.ts";
import type { Marks } from "./marks.ts";
import { chain, decodeStep, HEAD, KIND, type StepRecord, TAIL, type Tail } from "./records.ts";
import type { TraceSource } from "./source.ts";
import { PIECE, Window } from "./window.ts";

/** What reading a trace's file once gives. */
export interface TraceContent {
  source: TraceSource;
  manifest: Manifest;
  layout: StepLayout;
  /** Where the record of step 0 begins, in bytes. */
  start: number;
  /** What is known of the steps' records. */
  marks: Marks;
  /** How many of the recorded states are committed to. */
  committed: number;
  /** The place after the last complete record. */
  tail: Tail;
  /** The end record's root; absent when the file is a prefix of a run. */
  runRoot?: RunRoot;
  /** The process that is writing the rest of the run. */
  writer?: string;
}

/**
 * A trace that was read and that is consistent in itself. Its records stay in the file, so its memory does
 * not grow with them.
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
  /** The roots of the initial state and of the state after each segment, as far as the file goes. */
  readonly segmentRoots: LongList<StateRoot>;
  private readonly content: TraceContent;

  constructor(content: TraceContent) {
    const { source, manifest, tail, runRoot, writer } = content;
    this.content = content;
    this.source = source;
    this.manifest = manifest;
    this.tail = tail;
    this.segmentRoots = { length: content.committed, slice: (from, to) => this.rootsBetween(from, to) };
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
    return this.content.committed;
  }

  /** Whether the trace has the root of the state after a step. */
  hasRoot(step: number): boolean {
    const { steps, commitEvery } = this.content.layout;
    return Number.isInteger(step) && step >= 0 && step < this.recorded && isCommitted(step, steps, commitEvery);
  }

  /**
   * The root of the state after a step. `undefined` where the trace does not commit to it, or has no record.
   * It proves the metrics of its step; without it they are only claimed.
   * @throws {FormatError} when the file was changed since it was opened
   */
  async rootOf(step: number): Promise<StateRoot | undefined> {
    return this.hasRoot(step) ? (await this.record(step)).root : undefined;
  }

  private async rootsBetween(from: number, to: number): Promise<StateRoot[]> {
    const { steps, commitEvery } = this.content.layout;
    const last = Math.min(to, this.committed) - 1;
    const roots: StateRoot[] = [];
    if (from > last) return roots;
    const stepOf = (index: number): number => Math.min(index * commitEvery, steps);
    for await (const { root } of this.records(stepOf(from), stepOf(last))) if (root) roots.push(root);
    return roots;
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
      const end = this.content.marks.next(to) + 1;
      const window = new Window(file, stride === 1 ? Math.min(this.begin(end) - this.begin(from), PIECE) : 0);
      for (let step = from; step <= to; ) {
        // A record is used when the next mark has confirmed it, and with it those that come before the mark.
        const checked = await this.checked(window, step);
        for (; step <= to && step - checked.first < checked.records.length; step += stride)
          yield decodeStep(checked.records[step - checked.first], step, this.content.layout, this.what(step));
      }
    } finally {
      await file.close();
    }
  }

  /**
   * The place after a step's record, from which its run can be continued.
   * @throws {FormatError} when there is no such record, or the file was changed since it was opened
   */
  async tailOf(step: number): Promise<Tail> {
    if (!(step >= 0 && step < this.recorded)) throw this.missing(step);
    const file = await this.source.trace();
    try {
      const { hashes } = await this.checked(new Window(file, 0), step);
      return { offset: this.begin(step + 1), hash: hashes[0] };
    } finally {
      await file.close();
    }
  }

  /** Where the record of a step begins, in bytes. */
  private begin(step: number): number {
    return this.content.start + this.content.layout.offset(step);
  }

  /** The contents and hashes of the records from a step up to the next mark, which they fit. */
  private async checked(window: Window, first: number): Promise<{ first: number; records: Bytes[]; hashes: Bytes[] }> {
    const { marks } = this.content;
    const last = marks.next(first);
    const start = this.begin(first);
    const read = await window.bytes(start - TAIL, this.begin(last + 1) - start + TAIL);
    if (!read) throw this.changed(first);
    // A copy, so that a record that is kept does not keep a piece of the file.
    const bytes = read.slice();
    const records: Bytes[] = [];
    const hashes: Bytes[] = [];
    let hash: Bytes = bytes.subarray(0, TAIL);
    for (let step = first; step <= last; step++) {
      const content = bytes.subarray(this.begin(step) - start + TAIL + HEAD, this.begin(step + 1) - start);
      hash = chain(hash, KIND.step, content);
      records.push(content);
      hashes.push(hash);
    }
    if (!marks.fits(last, hash)) throw this.changed(first);
    return { first, records, hashes };
  }

  private what(step: number): string {
    return `${this.path}, record ${step + 1} (step) at byte ${this.begin(step)}`;
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
