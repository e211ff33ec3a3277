/**
 * Reads a trace's file from its beginning to its end, in pieces, and checks every record against the one
 * before it and against the job.
 */
import { type Bytes, bytesEqual, Reader } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { GrowingTree, hashLeaf } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import { FormatError, type FormatSubCode } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { type RunRoot, runRootOfTree } from "./commitments.ts";
import { StepLayout } from "./layout.ts";
import { decodeManifest, type Manifest } from "./manifest.ts";
import {
  chain,
  checkStep,
  decodeStep,
  END_BYTES,
  HEAD,
  KIND,
  kindName,
  MAGIC,
  MAX_MANIFEST,
  TAIL,
  type Tail,
} from "./records.ts";
import type { TraceSource } from "./source.ts";
import { Marks } from "./marks.ts";
import { Trace } from "./trace.ts";
import { Window } from "./window.ts";

/** What a file holds up to its first damage. */
export interface Scanned {
  /** The records before the damage. */
  trace: Trace;
  /** What is wrong with the next one. A file that merely ends has no problem. */
  problem?: FormatError;
  /** The length of the file, in bytes. */
  size: number;
}

/**
 * Opens a trace. A file that is cut inside or after a record is a prefix of a run: it has no `runRoot`. The
 * memory that it takes depends on the size of a record alone.
 * @throws {FormatError} when the file is not a trace or contradicts itself; the message names the record
 */
export async function readTrace(source: TraceSource): Promise<Trace> {
  const { trace, problem } = await scanTrace(source);
  if (problem) throw problem;
  return trace;
}

/**
 * Reads a trace up to its first damage.
 * @throws {FormatError} when the file is not a trace, or its manifest is damaged
 */
export async function scanTrace(source: TraceSource): Promise<Scanned> {
  // Asked before the file is read: a process that ends while it is read has written all of it.
  const writer = await source.writer?.();
  return inScan(source, writer, (scan) => scan.run());
}

/**
 * The first record of a trace, without the others.
 * @throws {FormatError} when the file is not a trace, or its manifest is damaged
 */
export async function readManifest(source: TraceSource): Promise<Manifest> {
  return inScan(source, undefined, (scan) => scan.manifest());
}

async function inScan<T>(source: TraceSource, writer: string | undefined, use: (scan: Scan) => Promise<T>): Promise<T> {
  const file = await source.trace();
  try {
    return await use(new Scan(file, source, writer));
  } finally {
    await file.close();
  }
}

class Scan {
  private readonly file: ByteSource;
  private readonly source: TraceSource;
  private readonly writer: string | undefined;
  private readonly window: Window;
  private readonly marks = new Marks();
  private committed = 0;
  private readonly segments = new GrowingTree();
  private tail: Tail = { offset: MAGIC.length, hash: sha256(MAGIC) };
  /** The number of the next record. */
  private number = 0;
  private runRoot: RunRoot | undefined;

  constructor(file: ByteSource, source: TraceSource, writer: string | undefined) {
    this.file = file;
    this.source = source;
    this.writer = writer;
    this.window = new Window(file);
  }

  async run(): Promise<Scanned> {
    const { source, marks, writer } = this;
    const { size } = this.file;
    const manifest = await this.manifest();
    const layout = new StepLayout(manifest);
    const start = this.tail.offset;
    let problem: FormatError | undefined;
    try {
      while (await this.record(manifest, layout));
      if (this.runRoot && this.tail.offset !== size) throw this.trailing(size - this.tail.offset);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      problem = error;
    }
    const { tail, runRoot, committed } = this;
    const content = { source, manifest, layout, start, marks, committed, tail };
    const trace = new Trace({ ...content, ...(runRoot && { runRoot }), ...(writer !== undefined && { writer }) });
    return { trace, size, ...(problem && { problem }) };
  }

  /** Reads the next record. @returns whether another one may follow it */
  private async record(manifest: Manifest, layout: StepLayout): Promise<boolean> {
    const step = this.number - 1;
    const what = this.what("step");
    const lengths = step > layout.steps ? [END_BYTES] : [layout.bytes(step), END_BYTES];
    const record = await this.next(lengths);
    if (!record) return false;
    if (record.kind === KIND.end && record.content.length === END_BYTES)
      this.runRoot = this.end(record.content as RunRoot, manifest);
    else if (record.kind !== KIND.step || record.content.length !== lengths[0] || step > layout.steps)
      throw this.misplaced(record.kind);
    else {
      const decoded = decodeStep(record.content, step, layout, what);
      checkStep(decoded, layout, what);
      const { root } = decoded;
      this.marks.push(record.tail.hash);
      if (root) {
        this.committed++;
        this.segments.add(hashLeaf(Tag.segmentLeaf, root));
      }
    }
    this.tail = record.tail;
    this.number++;
    return !this.runRoot;
  }

  async manifest(): Promise<Manifest> {
    const { path } = this.source;
    const { size } = this.file;
    // A run that measures its first training step writes the manifest after it.
    if (size === 0)
      throw new FormatError(
        "TRUNCATED",
        `${path} is empty: its run is at the first training step, or was stopped there; wait for it, or start it again with \`verde run … --resume\``,
        { path, bytes: size },
      );
    const magic = await this.window.bytes(0, MAGIC.length);
    if (!magic || !bytesEqual(magic, MAGIC))
      throw new FormatError(
        "KIND",
        `${path} is not a Verde trace; a trace is written by \`verde run JOB --out FILE\``,
        { path },
      );
    const record = await this.next();
    if (!record)
      throw new FormatError(
        "TRUNCATED",
        `${path} is cut before its manifest ends; \`verde run … --resume\` starts it again from the beginning`,
        { path, bytes: size },
      );
    if (record.kind !== KIND.manifest) throw this.misplaced(record.kind);
    const manifest = decodeManifest(record.content, this.what("manifest"));
    this.tail = record.tail;
    this.number++;
    return manifest;
  }

  /** The end record's root, if it follows from the records before. */
  private end(found: RunRoot, { jobId, commitEvery, outline }: Manifest): RunRoot {
    const complete = this.marks.length === outline.steps + 1;
    if (!complete || !bytesEqual(runRootOfTree(jobId, commitEvery, this.segments.root()), found))
      throw new FormatError(
        "INCONSISTENT",
        `${this.what("end")}: the run root does not follow from the records before; ${this.remedy()}`,
        { path: this.source.path },
      );
    return found.slice() as Bytes as RunRoot;
  }

  /**
   * The next record, whose hash is right.
   * @param lengths the lengths that its content may have; absent: those of a manifest
   * @returns `undefined` when the file ends before the record does
   */
  private async next(lengths?: readonly number[]): Promise<{ kind: number; content: Bytes; tail: Tail } | undefined> {
    const { offset, hash } = this.tail;
    const head = await this.window.bytes(offset, HEAD);
    if (!head) return undefined;
    const fields = new Reader(head, this.source.path);
    const [length, kind] = [fields.u32(), fields.u8()];
    if (!(lengths ? lengths.includes(length) : length <= MAX_MANIFEST)) {
      const allowed = lengths ? [...new Set(lengths)].join(" or ") : `at most ${MAX_MANIFEST}`;
      throw this.damaged("MALFORMED", `it claims ${length} bytes, and this one takes ${allowed}`);
    }
    const end = offset + HEAD + length + TAIL;
    const bytes = await this.window.bytes(offset + HEAD, length + TAIL);
    if (!bytes) return undefined;
    const content = bytes.subarray(0, length);
    const expected = chain(hash, kind, content);
    if (!bytesEqual(expected, bytes.subarray(length)))
      throw this.damaged("ALTERED", `its hash does not match its content (${kindName(kind)}) and the record before it`);
    return { kind, content, tail: { offset: end, hash: expected } };
  }

  /** The present record's name in errors. */
  private what(kind: string): string {
    return `${this.source.path}, record ${this.number} (${kind}) at byte ${this.tail.offset}`;
  }

  private misplaced(kind: number): FormatError {
    const what = this.what(kindName(kind));
    return new FormatError("INCONSISTENT", `${what}: it does not belong here; ${this.remedy()}`, { offset: this.tail.offset }); // prettier-ignore
  }

  private damaged(subCode: FormatSubCode, problem: string): FormatError {
    const { path } = this.source;
    const { offset } = this.tail;
    return new FormatError(subCode, `${path}, record ${this.number} at byte ${offset}: ${problem}; ${this.remedy()}`, {
      path,
      record: this.number,
      offset,
    });
  }

  private trailing(bytes: number): FormatError {
    const { path } = this.source;
    const { offset } = this.tail;
    return new FormatError("TRAILING", `${path} has ${bytes} bytes after its end record; ${this.remedy()}`, {
      path,
      expected: offset,
      found: offset + bytes,
    });
  }

  /** What to do about damage. */
  private remedy(): string {
    if (this.writer !== undefined) return `${this.writer} is writing it, so read it when that has ended`;
    if (this.number === 0) return "restore the file";
    return `restore the file, or cut it before the damage with \`verde trace repair ${this.source.path}\``;
  }
}
