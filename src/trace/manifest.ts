/** The first record of a trace: the closed job without its data, and how it was run. */
import { decode, encode } from "cborg";
import { bytesEqual, type Bytes } from "../encoding/bytes.ts";
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import { FormatError, type FormatSubCode, messageOf } from "../errors/index.ts";
import { decodeGraph, encodeGraph } from "../graph/codec.ts";
import {
  checkOutline,
  type ClosedJob,
  jobIdOf,
  type JobId,
  type JobOutline,
  outlineOf,
  partsOf,
} from "../job/closed.ts";
import { type Fault, formatFault, parseFault } from "./fault.ts";

/** Raised by every change to the meaning of a trace, and by a new version of the specification. */
export const FORMAT_VERSION = 3;
/**
 * How much of each training step a run records: only its state root, or also the root of every operator's
 * output.
 */
export type Detail = "steps" | "operators";

/** How a job is run. These settings have to be equal for one run to continue another. */
export interface RunSettings {
  commitEvery: number;
  checkpointEvery: number;
  detail: Detail;
  backend: string;
  fault?: Fault;
}

/** The first record of a trace: the job by its graphs and roots, and how the run was recorded. */
export interface Manifest extends RunSettings {
  outline: JobOutline;
  jobId: JobId;
}

export function manifestOf(job: ClosedJob, settings: RunSettings): Manifest {
  const outline = outlineOf(job);
  return { ...settings, outline, jobId: jobIdOf(partsOf(outline)) };
}

/** The manifest as the file holds it. */
interface Encoded {
  format: number;
  name: string;
  unit: string;
  perStep: number;
  steps: number;
  step: Uint8Array;
  /** A graph, or the root of the checkpoint of step 0. */
  initKind: "graph" | "checkpoint";
  init: Uint8Array;
  dataset: Uint8Array[];
  commitEvery: number;
  checkpointEvery: number;
  detail: Detail;
  backend: string;
  fault: string | null;
}

/** @throws {FormatError} when a field is out of its range, so that readers would refuse the manifest */
export function encodeManifest({ outline, commitEvery, checkpointEvery, detail, backend, fault }: Manifest): Bytes {
  const { init } = outline;
  const encoded: Encoded = {
    format: FORMAT_VERSION,
    name: outline.name,
    unit: outline.unit.name,
    perStep: outline.unit.perStep,
    steps: outline.steps,
    step: plain(encodeGraph(outline.step)),
    initKind: init.kind,
    init: plain(init.kind === "graph" ? encodeGraph(init.graph) : init.root),
    dataset: outline.datasetRoots.map(plain),
    commitEvery,
    checkpointEvery,
    detail,
    backend,
    fault: fault ? formatFault(fault) : null,
  };
  const wrong = wrongField(encoded);
  if (wrong)
    throw new FormatError(
      "RANGE",
      `this run can't be recorded: the ${wrong} of its manifest is out of range (docs/trace-format.md); change it, and run the job again`,
      { field: wrong, found: encoded[wrong] },
    );
  return encode(encoded);
}

/** Node's buffers are byte arrays of another class, which the encoder would encode differently. */
const plain = (bytes: Bytes): Uint8Array => new Uint8Array(bytes);

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === "string" && value.length <= 4096;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Fields of 32 bits, without the sign. */
const isShort: Check = (value) => isCount(value) && (value as number) < 2 ** 31;
const isBytes: Check = (value) => value instanceof Uint8Array;
const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);

const FIELDS: Record<keyof Encoded, Check> = {
  format: oneOf(FORMAT_VERSION),
  name: isText,
  unit: isText,
  perStep: isCount,
  steps: (value) => isCount(value) && value !== 0,
  step: isBytes,
  initKind: oneOf("graph", "checkpoint"),
  init: isBytes,
  dataset: (value) => Array.isArray(value) && value.every((root) => isBytes(root) && root.length === 32),
  commitEvery: (value) => isShort(value) && value !== 0,
  checkpointEvery: isShort,
  detail: oneOf("steps", "operators"),
  backend: isText,
  fault: (value) => value === null || isText(value),
};

/** The first field that is not in its range. */
function wrongField(data: Partial<Encoded>): keyof Encoded | undefined {
  return (Object.keys(FIELDS) as (keyof Encoded)[]).find((field) => !FIELDS[field](data[field]));
}

/**
 * @param what names the file, for errors
 * @throws {FormatError | GraphError | ShapeError | ProgramError} when it is not the manifest of a consistent
 * job
 */
export function decodeManifest(bytes: Bytes, what: string): Manifest {
  const fail = (subCode: FormatSubCode, problem: string): never => {
    throw new FormatError(subCode, `${what}: ${problem}; restore the file, or run the job again`, { what });
  };
  let raw: Partial<Encoded> = {};
  try {
    raw = decode(plain(bytes), { allowIndefinite: false, rejectDuplicateMapKeys: true, strict: true }) as typeof raw;
  } catch (cause) {
    fail("NOT_CANONICAL", `it is not canonical CBOR (${messageOf(cause)})`);
  }
  if (typeof raw !== "object" || raw === null) fail("MALFORMED", "it is not a map");
  if (isCount(raw.format) && raw.format !== FORMAT_VERSION)
    throw new FormatError(
      "VERSION",
      `${what}: it has format version ${raw.format}, and this reads version ${FORMAT_VERSION}; ` +
        "it can't be read or resumed here, so run the job again, or use the version of Verde that wrote it",
      { what, expected: FORMAT_VERSION, found: raw.format },
    );
  const wrong = wrongField(raw);
  if (wrong) fail("MALFORMED", `its field ${wrong} is missing or malformed`);
  const data = raw as Encoded;
  const outline: JobOutline = {
    name: data.name,
    steps: data.steps,
    unit: { name: data.unit, perStep: data.perStep },
    step: decodeGraph(data.step, `${what}, step graph`),
    init:
      data.initKind === "graph"
        ? { kind: "graph", graph: decodeGraph(data.init, `${what}, init graph`) }
        : { kind: "checkpoint", root: data.init as Bytes as StateRoot },
    datasetRoots: data.dataset as Bytes[] as TensorRoot[],
  };
  checkOutline(outline);
  const { commitEvery, checkpointEvery, detail, backend } = data;
  if (checkpointEvery % commitEvery !== 0)
    fail("MALFORMED", `it has a checkpoint every ${checkpointEvery} steps, and a root every ${commitEvery}`);
  const manifest: Manifest = {
    outline,
    jobId: jobIdOf(partsOf(outline)),
    commitEvery,
    checkpointEvery,
    detail,
    backend,
    ...(data.fault !== null && { fault: parseFault(data.fault) }),
  };
  // The job's id joins parts of a fixed length without separators.
  if (data.initKind === "checkpoint" && data.init.length !== 32)
    fail("MALFORMED", "its initial state has no root of 32 bytes");
  if (!bytesEqual(encodeManifest(manifest), bytes)) fail("NOT_CANONICAL", "it is not in canonical form");
  return manifest;
}
