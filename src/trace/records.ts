/**
 * The trace file (spec 8.1, docs/trace-format.md): a magic, then records. Each record ends with a hash over
 * the record before it and its own content, so that a missing, altered, moved or foreign record is detected.
 */
import { type Bytes, bytesEqual, Reader, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import { FormatError, type FormatSubCode } from "../errors/index.ts";
import type { RunRoot } from "./commitments.ts";
import { decodeManifest, encodeManifest, type Manifest } from "./manifest.ts";

const MAGIC = new TextEncoder().encode("VERDETR1");
export const KIND = { manifest: 1, step: 2, end: 3 } as const;
const nameOf = (kind: number): string => Object.entries(KIND).find(([, code]) => code === kind)?.[0] ?? `kind ${kind}`;
/** Length and kind before the content, the hash after it. */
const HEAD = 5;
const TAIL = 32;
/** No record is larger than this. The largest is the manifest, which holds two graphs. */
const MAX_RECORD = 2 ** 30;

/** What a trace keeps of one training step. */
export interface StepRecord {
  /** 0 is the initial state. */
  step: number;
  /** Present after training steps that are committed to. */
  root?: StateRoot;
  /** The bit patterns of the metrics, in the order of the state's entries. */
  metrics: readonly number[];
  /** With `--detail operators`: the roots of all operators' outputs. */
  opRoots?: readonly TensorRoot[];
}

/** The place from which a file can be continued. */
export interface Tail {
  offset: number;
  hash: Bytes;
}

export interface TraceContent {
  path: string;
  manifest: Manifest;
  records: StepRecord[];
  /** The end record's root; absent when the file is a prefix. */
  runRoot?: RunRoot;
  /** The places after each step's record, and after the file's last complete record. */
  tail: Tail;
  tails: Tail[];
}

export function encodeStep({ step, root, metrics, opRoots }: StepRecord): Bytes {
  const writer = new Writer().u32(step).u8(root ? 1 : 0);
  if (root) writer.bytes(root);
  writer.u32(metrics.length);
  for (const bits of metrics) writer.u32(bits);
  writer.u32(opRoots?.length ?? 0);
  for (const opRoot of opRoots ?? []) writer.bytes(opRoot);
  return writer.finish();
}

function decodeStep(reader: Reader): StepRecord {
  const step = reader.u32();
  const rooted = reader.u8();
  if (rooted > 1) throw reader.error("MALFORMED", "a flag is neither 0 nor 1");
  const root = rooted ? (reader.bytes(32) as StateRoot) : undefined;
  const metrics = reader.list(() => reader.u32(), 4);
  const opRoots = reader.list(() => reader.bytes(32) as TensorRoot, 32);
  reader.end();
  return { step, metrics, ...(root && { root }), ...(opRoots.length > 0 && { opRoots }) };
}

function chain(before: Bytes, kind: number, content: Bytes): Bytes {
  return sha256(new Writer().bytes(before).u8(kind).bytes(content).finish());
}

export function frame(before: Bytes, kind: number, content: Bytes): { record: Bytes; hash: Bytes } {
  const hash = chain(before, kind, content);
  return { record: new Writer().u32(content.length).u8(kind).bytes(content).bytes(hash).finish(), hash };
}

/** The first bytes of a run's trace: everything that is known before the first state. */
export function openingOf(manifest: Manifest): Tail & { bytes: Bytes } {
  const { record, hash } = frame(sha256(MAGIC), KIND.manifest, encodeManifest(manifest));
  const bytes = new Writer().bytes(MAGIC).bytes(record).finish();
  return { bytes, offset: bytes.length, hash };
}

/**
 * Reads and checks all records. A file that is cut inside or after a record is a prefix: it has no `runRoot`.
 * @param path names the file, for errors
 * @throws {FormatError} for anything else that is wrong; the message names the record
 */
export function readRecords(data: Bytes, path: string): TraceContent {
  if (data.length < MAGIC.length || !bytesEqual(data.subarray(0, MAGIC.length), MAGIC))
    throw new FormatError("KIND", `${path} is not a Verde trace; a trace is written by \`verde run JOB --out FILE\``, {
      path,
    });
  const state: Partial<TraceContent> & { records: StepRecord[]; tails: Tail[] } = { path, records: [], tails: [] };
  let tail: Tail = { offset: MAGIC.length, hash: sha256(MAGIC) };
  for (let number = 0; !state.runRoot; number++) {
    const record = nextRecord(data, tail, path, number);
    if (!record) break;
    const what = `${path}, record ${number} (${nameOf(record.kind)}) at byte ${tail.offset}`;
    tail = record.tail;
    if ((number === 0) !== (record.kind === KIND.manifest))
      throw new FormatError("INCONSISTENT", `${what}: it does not belong here; restore the file`);
    if (record.kind === KIND.manifest) state.manifest = decodeManifest(record.content, what);
    else if (record.kind === KIND.step) {
      const step = decodeStep(new Reader(record.content, what));
      if (step.step !== state.records.length)
        throw new FormatError("INCONSISTENT", `${what}: step ${step.step} does not follow here; restore the file`, {
          expected: state.records.length,
          found: step.step,
        });
      state.records.push(step);
      state.tails.push(tail);
    } else if (record.kind === KIND.end && record.content.length === 32) state.runRoot = record.content as RunRoot;
    else throw new FormatError("MALFORMED", `${what}: it is malformed; restore the file`);
  }
  if (!state.manifest)
    throw new FormatError(
      "TRUNCATED",
      `${path} is cut before its manifest ends; \`verde run … --resume\` starts it again from the beginning`,
      {
        path,
        bytes: data.length,
      },
    );
  if (state.runRoot && tail.offset !== data.length)
    throw new FormatError(
      "TRAILING",
      `${path} has ${data.length - tail.offset} bytes after its end record; remove them, or restore the file`,
      { path, expected: tail.offset, found: data.length },
    );
  return { ...state, path, manifest: state.manifest, tail };
}

function nextRecord(
  data: Bytes,
  { offset, hash }: Tail,
  path: string,
  number: number,
): { kind: number; content: Bytes; tail: Tail } | undefined {
  if (data.length - offset < HEAD) return undefined;
  const head = new Reader(data.subarray(offset, offset + HEAD), path);
  const length = head.u32();
  const kind = head.u8();
  const damaged = (subCode: FormatSubCode, problem: string): FormatError =>
    new FormatError(
      subCode,
      `${path}, record ${number} at byte ${offset}: ${problem}; restore the file, or cut it before this record and use --resume`,
      { path, record: number, offset },
    );
  if (length > MAX_RECORD) throw damaged("MALFORMED", `it claims ${length} bytes`);
  const end = offset + HEAD + length + TAIL;
  if (end > data.length) return undefined;
  const content = data.subarray(offset + HEAD, end - TAIL);
  const expected = chain(hash, kind, content);
  if (!bytesEqual(expected, data.subarray(end - TAIL, end)))
    throw damaged("ALTERED", `its hash does not match its content (${nameOf(kind)}) and the record before it`);
  return { kind, content, tail: { offset: end, hash: expected } };
}
