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
const FORMAT_VERSION = 2;
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
  detail: "steps" | "ops";
  backend: string;
  fault: string | null;
}

/**
 * The file's own words for what is called operator everywhere else. They are part of format version 2: the
 * bytes of a trace do not depend on the words in the code.
 */
const DETAIL_ON_DISK = { steps: "steps", operators: "ops" } as const satisfies Record<Detail, string>;
const faultOnDisk = (fault: Fault): string => formatFault(fault).replace("operator=", "node=");
const faultFromDisk = (text: string): Fault => parseFault(text.replace("node=", "operator="));

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
    detail: DETAIL_ON_DISK[detail],
    backend,
    fault: fault ? faultOnDisk(fault) : null,
  };
  return encode(encoded);
}

/** Node's buffers are byte arrays of another class, which the encoder would encode differently. */
const plain = (bytes: Bytes): Uint8Array => new Uint8Array(bytes);

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === "string" && value.length <= 4096;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
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
  steps: (value) => isCount(value) && (value as number) >= 1,
  step: isBytes,
  initKind: oneOf("graph", "checkpoint"),
  init: isBytes,
  dataset: (value) => Array.isArray(value) && value.every((root) => isBytes(root) && root.length === 32),
  commitEvery: (value) => isCount(value) && (value as number) >= 1 && (value as number) < 2 ** 31,
  checkpointEvery: isCount,
  detail: oneOf(...Object.values(DETAIL_ON_DISK)),
  backend: isText,
  fault: (value) => value === null || isText(value),
};

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
    fail("VERSION", `it has format version ${raw.format}, and this reads version ${FORMAT_VERSION}`);
  for (const [field, check] of Object.entries(FIELDS))
    if (!check(raw[field as keyof Encoded])) fail("MALFORMED", `its field ${field} is missing or malformed`);
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
  const { commitEvery, checkpointEvery, backend } = data;
  const detail: Detail = data.detail === DETAIL_ON_DISK.operators ? "operators" : "steps";
  const manifest: Manifest = {
    outline,
    jobId: jobIdOf(partsOf(outline)),
    commitEvery,
    checkpointEvery,
    detail,
    backend,
    ...(data.fault !== null && { fault: faultFromDisk(data.fault) }),
  };
  // The job's id joins parts of a fixed length without separators.
  if (data.initKind === "checkpoint" && data.init.length !== 32)
    fail("MALFORMED", "its initial state has no root of 32 bytes");
  if (!bytesEqual(encodeManifest(manifest), bytes)) fail("NOT_CANONICAL", "it is not in canonical form");
  return manifest;
}
