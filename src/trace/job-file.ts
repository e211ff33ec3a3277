/**
 * Job files (docs/trace-format.md): a closed job as one file, with its data. Reading one executes nothing:
 * whoever runs a stranger's job needs no TypeScript of theirs.
 */
import { encode } from "cborg";
import { asBytes, type Bytes, bytesEqual, toHex, Writer } from "../encoding/bytes.ts";
import { sha256 } from "../encoding/hash.ts";
import { stateRoot, tensorRoot } from "../encoding/tensor.ts";
import { FormatError, type FormatSubCode } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { fileKind, KIND_BYTES } from "../formats/file-kind.ts";
import { openFile } from "../formats/file.ts";
import { replaceFile } from "../files/replace.ts";
import { mostHeaderBytes, readTensors } from "../formats/safetensors.ts";
import { safetensorsHead } from "../formats/safetensors-file.ts";
import { checkSameTypes } from "../graph/graph.ts";
import { checkJob, type ClosedJob, type JobOutline, type NamedTensor, outlineOf } from "../job/closed.ts";
import { checkFits } from "./fits.ts";
import {
  type Checks,
  decodeFields,
  fieldsOf,
  oneOf,
  OUTLINE_CHECKS,
  type OutlineFields,
  outlineFrom,
  wrongField,
} from "./outline.ts";
import { MAX_MANIFEST } from "./records.ts";

const MAGIC = new TextEncoder().encode("VERDEJB1");
/** Raised by every change to the meaning of a job file, and by a new version of the specification. */
const FORMAT_VERSION = 3;
/** The magic, and the length of the outline. */
const HEAD = MAGIC.length + 4;
const HASH = 32;

interface Encoded extends OutlineFields {
  format: number;
}

const CHECKS: Checks<Encoded> = { format: oneOf(FORMAT_VERSION), ...OUTLINE_CHECKS };
const REMEDY = {
  damage: "get the file again, or export the job again",
  version: "export the job again with this version, or use the version of Verde that wrote it",
};

/** Whether a file begins as a job file does. @param head its first bytes */
export function isJobFile(head: Bytes): boolean {
  return bytesEqual(head.subarray(0, MAGIC.length), MAGIC);
}

/** The job's tensors in the order of the step graph's inputs: a given initial state, and the dataset. */
function tensorsOf({ init, dataset }: ClosedJob): NamedTensor[] {
  return [...(init.kind === "checkpoint" ? init.state : []), ...dataset];
}

function encodeOutline(outline: JobOutline): Bytes {
  const encoded: Encoded = { format: FORMAT_VERSION, ...fieldsOf(outline) };
  const wrong = wrongField(encoded, CHECKS);
  const bytes = encode(encoded);
  if (wrong !== undefined || bytes.length > MAX_MANIFEST)
    throw new FormatError(
      "RANGE",
      `this job can't be written to a file: its ${wrong ?? "graphs"} is out of range (docs/trace-format.md); change it`,
      { field: wrong ?? "graphs" },
    );
  return bytes;
}

/**
 * Writes a closed job to a file, so that others can run it without its module. A file of this name is
 * replaced when the new one is complete.
 * @throws {JobError | GraphError | ShapeError | ProgramError} when the parts of the job do not fit together
 * @throws {FormatError} when a name of the job is too long for the file
 */
export async function writeJobFile(path: string, job: ClosedJob): Promise<void> {
  const parts = partsOfFile(path, job);
  await replaceFile(path, async (file) => {
    for (const bytes of parts) await file.writeFile(bytes);
  });
}

/** The bytes of a job file, one part after the other. */
function partsOfFile(path: string, job: ClosedJob): Bytes[] {
  checkJob(job);
  const outline = encodeOutline(outlineOf(job));
  const tensors = tensorsOf(job);
  const head = new Writer().bytes(MAGIC).blob(outline).finish();
  return [head, sha256(head), safetensorsHead(path, tensors), ...tensors.map(({ data }) => asBytes(data))];
}

/** A job file in memory, to be sent. @throws as `writeJobFile` */
export function jobToBytes(job: ClosedJob): Bytes {
  const writer = new Writer();
  for (const part of partsOfFile(job.name, job)) writer.bytes(part);
  return writer.finish();
}

/**
 * The closed job of a job file in memory.
 * @param what the file's name in messages
 * @throws as `readJobFile`
 */
export async function jobFromBytes(bytes: Bytes, what: string): Promise<ClosedJob> {
  const read = async (from: number, length: number) => new Uint8Array(bytes.subarray(from, from + length));
  return readJob({ size: bytes.length, read, close: async () => undefined }, what);
}

/**
 * The closed job of a file. Nothing of it is executed. The file may be a stranger's: all that it says is
 * checked, and it takes no more memory than the file is long.
 * @throws {FormatError} when it is no job file, or is damaged
 * @throws {JobError | GraphError | ShapeError | ProgramError | ValueError} when the job is inconsistent, or
 * larger than this machine
 */
export async function readJobFile(path: string): Promise<ClosedJob> {
  const file = await openFile(path);
  try {
    return await readJob(file, path);
  } finally {
    await file.close();
  }
}

async function readJob(file: ByteSource, path: string): Promise<ClosedJob> {
  const { outline, end } = await readOutline(file, path);
  checkFits(outline);
  const { step, init, datasetRoots, ...rest } = outline;
  const stateCount = step.outputs.length;
  const types = init.kind === "checkpoint" ? step.inputs : step.inputs.slice(stateCount);
  const tensors = await readTensors(sectionOf(file, end), `${path}, tensors`, {
    raw: true,
    maxHeader: mostHeaderBytes(types),
    check: (found) => checkSameTypes(found, types, `the tensors of ${path} and its graph`),
  });
  const dataset = tensors.slice(types.length - datasetRoots.length);
  dataset.forEach((tensor, i) => {
    if (!bytesEqual(tensorRoot(tensor), datasetRoots[i])) throw altered(path, `tensor ${quote(tensor.name)}`);
  });
  const state = tensors.slice(0, types.length - datasetRoots.length);
  if (init.kind === "checkpoint" && !bytesEqual(stateRoot(state.map(tensorRoot)), init.root))
    throw altered(path, `the initial state, ${toHex(init.root)},`);
  const job: ClosedJob = {
    ...rest,
    step,
    dataset,
    init: init.kind === "graph" ? init : { kind: "checkpoint", state },
  };
  checkJob(job);
  return job;
}

function altered(path: string, what: string): FormatError {
  return new FormatError("ALTERED", `${path}: ${what} is not what the job commits to; ${REMEDY.damage}`, { path });
}

async function readOutline(file: ByteSource, path: string): Promise<{ outline: JobOutline; end: number }> {
  const fail = (subCode: FormatSubCode, problem: string): never => {
    throw new FormatError(subCode, `${path}: ${problem}; ${REMEDY.damage}`, { path });
  };
  const start = await file.read(0, Math.min(file.size, KIND_BYTES));
  if (!isJobFile(start)) {
    const kind = fileKind(start);
    throw new FormatError("KIND", `${path} is ${kind?.what ?? "something else"}, not a Verde job file`, { path });
  }
  if (start.length < HEAD) fail("TRUNCATED", "it ends before its job");
  const length = new DataView(start.buffer).getUint32(MAGIC.length);
  if (length > MAX_MANIFEST) fail("TOO_LARGE", `its job claims ${length} bytes; at most ${MAX_MANIFEST} are read`);
  const end = HEAD + length + HASH;
  if (file.size < end) fail("TRUNCATED", `it has ${file.size} bytes, and its job ends at byte ${end}`);
  const bytes = await file.read(0, end);
  if (bytes.length < end) fail("TRUNCATED", "it ends before its job");
  const head = bytes.subarray(0, HEAD + length);
  if (!bytesEqual(sha256(head), bytes.subarray(head.length))) fail("ALTERED", "the hash of its job does not fit");
  const content = head.subarray(HEAD);
  const data = decodeFields<Encoded>(content, path, { checks: CHECKS, format: FORMAT_VERSION, remedy: REMEDY });
  const outline = outlineFrom(data, path);
  if (!bytesEqual(encodeOutline(outline), content)) fail("NOT_CANONICAL", "it is not in canonical form");
  return { outline, end };
}

/** A file without its first bytes. */
function sectionOf(file: ByteSource, from: number): ByteSource {
  return {
    size: file.size - from,
    read: (at, length) => file.read(from + at, length),
    close: async () => undefined,
  };
}
