/**
 * The records of a trace file (spec 8.1, docs/trace-format.md): a magic, then records. Each record ends with
 * a hash over the record before it and its own content, so that a missing, altered, moved or foreign record
 * is detected.
 */
import { type Bytes, bytesEqual, Reader, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import type { Proof } from "../encoding/merkle.ts";
import { type StateRoot, stateRoot, type TensorRoot } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { encodeManifest, type Manifest } from "./manifest.ts";
import type { StepLayout } from "./layout.ts";

export const MAGIC = new TextEncoder().encode("VERDETR1");
export const KIND = { manifest: 1, step: 2, end: 3 } as const;
export const kindName = (kind: number): string =>
  Object.entries(KIND).find(([, code]) => code === kind)?.[0] ?? `kind ${kind}`;
/** The bytes before the content (length and kind), and after it (the hash). */
export const HEAD = 5;
export const TAIL = 32;
/** The content of the end record: the run root. */
export const END_BYTES = 32;
/** The largest content of a manifest, in bytes. It holds two graphs. */
export const MAX_MANIFEST = 2 ** 26;

/** What a trace keeps of one training step. */
export interface StepRecord {
  /** 0 is the initial state. */
  step: number;
  /** Present after training steps that are committed to. */
  root?: StateRoot;
  /** The bit patterns of the metrics, in the order of the state's entries. */
  metrics: readonly number[];
  /** With a root: the hashes that prove that the state has these metrics. */
  metricsProof?: Proof;
  /** With `--detail operators`: the roots of all operators' outputs. */
  opRoots?: readonly TensorRoot[];
  /** In record 0 of a job that starts from a checkpoint: the roots of all entries of the checkpoint. */
  entryRoots?: readonly TensorRoot[];
}

/** The place from which a file can be continued. */
export interface Tail {
  offset: number;
  hash: Bytes;
}

/**
 * @throws {FormatError} when the record is not one of the layout's job, or a number does not fit its field
 */
export function encodeStep(record: StepRecord, layout: StepLayout): Bytes {
  const { step, root, metrics, metricsProof = [], opRoots = [], entryRoots = [] } = record;
  const fail = (what: string, expected: unknown, found: unknown): never => {
    throw new FormatError("RANGE", `the record of step ${step} can't be written: ${what}; record the run again`, {
      step,
      expected,
      found,
    });
  };
  if (!Number.isInteger(step) || step < 0 || step > layout.steps) fail("the job has no such step", layout.steps, step);
  const counts = layout.of(step);
  if ((root !== undefined) !== counts.rooted) fail("it has a root too many or too few", counts.rooted, !counts.rooted);
  const lists = { metrics, proof: metricsProof, operators: opRoots, entries: entryRoots };
  for (const name of ["metrics", "proof", "operators", "entries"] as const)
    if (lists[name].length !== counts[name])
      fail(`it has ${lists[name].length} ${name}, not ${counts[name]}`, counts[name], lists[name].length);
  const wild = metrics.find((bits) => !Number.isInteger(bits) || bits < 0 || bits >= 2 ** 32);
  if (wild !== undefined) fail(`the metric ${wild} is not a pattern of 32 bits`, "0 to 2^32 - 1", wild);
  const writer = new Writer().u32(step).u8(root ? 1 : 0);
  if (root) writer.bytes(root);
  writer.u32(metrics.length);
  for (const bits of metrics) writer.u32(bits);
  for (const list of [metricsProof, opRoots, entryRoots]) {
    writer.u32(list.length);
    for (const hash of list) writer.bytes(hash);
  }
  return writer.finish();
}

/**
 * Reads a step's record, and checks what follows from the manifest: its step, its root and the counts of its
 * lists.
 * @param what names the record, for errors
 * @throws {FormatError} when it is not a record of this step and job; the message names the record
 */
export function decodeStep(content: Bytes, step: number, layout: StepLayout, what: string): StepRecord {
  const fail = (problem: string): never => inconsistent(problem, step, what);
  const reader = new Reader(content, what);
  const found = reader.u32();
  if (found !== step) fail(`step ${found} does not follow here`);
  const counts = layout.of(step);
  const flag = reader.u8();
  if (flag > 1) throw reader.error("MALFORMED", "a flag is neither 0 nor 1");
  if ((flag === 1) !== counts.rooted) fail("it has a root too many or too few");
  const root = counts.rooted ? (reader.bytes(32) as StateRoot) : undefined;
  // The counts are compared before anything is made of them.
  const list = <T>(expected: number, items: string, item: () => T): T[] => {
    const count = reader.u32();
    if (count !== expected) fail(`it has ${count} ${items}, not ${expected}`);
    return Array.from({ length: count }, item);
  };
  const hash = (): TensorRoot => reader.bytes(32) as TensorRoot;
  const metrics = list(counts.metrics, "metrics", () => reader.u32());
  const metricsProof = list(counts.proof, "hashes that prove its metrics", hash);
  const opRoots = list(counts.operators, "roots of operators", hash);
  const entryRoots = list(counts.entries, "roots of the entries of its state", hash);
  reader.end();
  return {
    step,
    metrics,
    ...(root && { root, metricsProof }),
    ...(opRoots.length > 0 && { opRoots }),
    ...(entryRoots.length > 0 && { entryRoots }),
  };
}

/**
 * Checks what a record proves: that its metrics are in the state that it commits to, and that the entries of
 * a given initial state are the job's.
 * @param what names the record, for errors
 * @throws {FormatError} when a proof fails; the message names the record
 */
export function checkStep(record: StepRecord, layout: StepLayout, what: string): void {
  const { step, root, metrics, metricsProof = [], entryRoots } = record;
  if (root && metrics.length > 0) {
    const proven = layout.metrics.stateRoot(metrics, metricsProof);
    if (!proven || !bytesEqual(proven, root))
      inconsistent("its metrics are not those of the state that it commits to", step, what);
  }
  if (entryRoots && !bytesEqual(stateRoot(entryRoots), layout.given!))
    inconsistent("the roots of its entries are not those of the job's initial state", step, what);
}

function inconsistent(problem: string, step: number, what: string): never {
  throw new FormatError("INCONSISTENT", `${what}: ${problem}; one run did not write this file, so record it again`, {
    what,
    step,
  });
}

/** The hash that ends a record, over the hash that ends the record before. */
export function chain(before: Bytes, kind: number, content: Bytes): Bytes {
  return sha256(new Writer().bytes(before).u8(kind).bytes(content).finish());
}

export function frame(before: Bytes, kind: number, content: Bytes): { record: Bytes; hash: Bytes } {
  const hash = chain(before, kind, content);
  return { record: new Writer().u32(content.length).u8(kind).bytes(content).bytes(hash).finish(), hash };
}

/**
 * The first bytes of a run's trace: everything that is known before the first state.
 * @throws {FormatError} when the manifest is larger than readers accept
 */
export function openingOf(manifest: Manifest): Tail & { bytes: Bytes } {
  const content = encodeManifest(manifest);
  if (content.length > MAX_MANIFEST)
    throw new FormatError(
      "TOO_LARGE",
      `the job's graphs have ${content.length} bytes, and a trace holds at most ${MAX_MANIFEST}; make the training step smaller`,
      { expected: MAX_MANIFEST, found: content.length },
    );
  const { record, hash } = frame(sha256(MAGIC), KIND.manifest, content);
  const bytes = new Writer().bytes(MAGIC).bytes(record).finish();
  return { bytes, offset: bytes.length, hash };
}
