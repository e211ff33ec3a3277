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
import { MARK, Trace } from "./trace.ts";
import { Packed, Window } from "./window.ts";

/**
 * Opens a trace. A file that is cut inside or after a record is a prefix of a run: it has no `runRoot`. How
 * much memory it takes does not depend on what the file claims, only on how many records it has.
 * @throws {FormatError} when the file is not a trace or contradicts itself; the message names the record
 */
export async function readTrace(source: TraceSource): Promise<Trace> {
  const file = await source.trace();
  try {
    return await new Scan(file, source).run();
  } finally {
    await file.close();
  }
}

class Scan {
  private readonly file: ByteSource;
  private readonly source: TraceSource;
  private readonly window: Window;
  private readonly marks = new Packed(MARK);
  private readonly roots = new Packed(32);
  private readonly segments = new GrowingTree();
  private tail: Tail = { offset: MAGIC.length, hash: sha256(MAGIC) };
  /** The number of the next record. */
  private number = 0;

  constructor(file: ByteSource, source: TraceSource) {
    this.file = file;
    this.source = source;
    this.window = new Window(file);
  }

  async run(): Promise<Trace> {
    const { source, marks, roots } = this;
    const manifest = await this.manifest();
    const layout = new StepLayout(manifest);
    const start = this.tail.offset;
    let runRoot: RunRoot | undefined;
    while (!runRoot) {
      const step = this.number - 1;
      const what = this.what("step");
      const lengths = step > layout.steps ? [END_BYTES] : [layout.bytes(step), END_BYTES];
      const record = await this.next(lengths);
      if (!record) break;
      if (record.kind === KIND.end && record.content.length === END_BYTES)
        runRoot = this.end(record.content as RunRoot, manifest);
      else if (record.kind !== KIND.step || record.content.length !== lengths[0] || step > layout.steps)
        throw this.misplaced(record.kind);
      else {
        const decoded = decodeStep(record.content, step, layout, what);
        checkStep(decoded, layout, what);
        const { root } = decoded;
        marks.push(record.tail.hash.subarray(0, MARK));
        if (root) {
          roots.push(root);
          this.segments.add(hashLeaf(Tag.segmentLeaf, root));
        }
      }
      this.tail = record.tail;
      this.number++;
    }
    const content = { source, manifest, layout, start, marks, roots, tail: this.tail };
    return new Trace({ ...content, ...(runRoot && { runRoot }) });
  }

  private async manifest(): Promise<Manifest> {
    const { path } = this.source;
    const { size } = this.file;
    const magic = await this.window.bytes(0, MAGIC.length);
    if (!magic || !bytesEqual(magic, MAGIC))
      throw new FormatError(
        "KIND",
        `${path} is not a Verde trace; a trace is written by \`verde run JOB --out FILE\``,
        {
          path,
        },
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

  /** The end record's root, if it follows from the records before, and nothing follows it. */
  private end(found: RunRoot, { jobId, commitEvery, outline }: Manifest): RunRoot {
    const { path } = this.source;
    const complete = this.marks.length === outline.steps + 1;
    if (!complete || !bytesEqual(runRootOfTree(jobId, commitEvery, this.segments.root()), found))
      throw new FormatError(
        "INCONSISTENT",
        `${this.what("end")}: the run root does not follow from the records before; one run did not write this file, so record it again`,
        { path },
      );
    const end = this.tail.offset + HEAD + END_BYTES + TAIL;
    if (end !== this.file.size)
      throw new FormatError(
        "TRAILING",
        `${path} has ${this.file.size - end} bytes after its end record; remove them, or restore the file`,
        { path, expected: end, found: this.file.size },
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
    return new FormatError("INCONSISTENT", `${this.what(kindName(kind))}: it does not belong here; restore the file`);
  }

  private damaged(subCode: FormatSubCode, problem: string): FormatError {
    const { path } = this.source;
    const { offset } = this.tail;
    return new FormatError(
      subCode,
      `${path}, record ${this.number} at byte ${offset}: ${problem}; restore the file, or cut it before this record and use --resume`,
      { path, record: this.number, offset },
    );
  }
}
