/** A closed job without its data, as fields of canonical CBOR: in a trace's manifest, and in a job file. */
import { decode } from "cborg";
import type { Bytes } from "../encoding/bytes.ts";
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import { decodeGraph, encodeGraph } from "../graph/codec.ts";
import { checkOutline, type JobOutline } from "../job/closed.ts";

/** An outline as files hold it. */
export interface OutlineFields {
  name: string;
  unit: string;
  perStep: number;
  steps: number;
  step: Uint8Array;
  /** A graph, or the root of the checkpoint of step 0. */
  initKind: "graph" | "checkpoint";
  init: Uint8Array;
  dataset: Uint8Array[];
  /** The lengths of the dataset's lists; absent where it is one list. */
  lists?: number[];
}

/** Whether a field is in its range. */
export type Check = (value: unknown) => boolean;
export type Checks<Fields> = Readonly<Record<keyof Required<Fields>, Check>>;

export const isText: Check = (value) => typeof value === "string" && value.length <= 4096;
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** Fields of 32 bits, without the sign. */
export const isShort: Check = (value) => isCount(value) && (value as number) < 2 ** 31;
const isBytes: Check = (value) => value instanceof Uint8Array;
export const oneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);

export const OUTLINE_CHECKS: Checks<OutlineFields> = {
  name: isText,
  unit: isText,
  perStep: isCount,
  steps: isCount,
  step: isBytes,
  initKind: oneOf("graph", "checkpoint"),
  init: isBytes,
  dataset: (value) => Array.isArray(value) && value.every((root) => isBytes(root) && root.length === 32),
  lists: (value) => value === undefined || (Array.isArray(value) && value.every(isCount)),
};

/** Node's buffers are byte arrays of another class, which the encoder would encode differently. */
const plain = (bytes: Bytes): Uint8Array => new Uint8Array(bytes);

export function fieldsOf({ name, unit, steps, step, init, datasetRoots, lists }: JobOutline): OutlineFields {
  return {
    name,
    unit: unit.name,
    perStep: unit.perStep,
    steps,
    step: plain(encodeGraph(step)),
    initKind: init.kind,
    init: plain(init.kind === "graph" ? encodeGraph(init.graph) : init.root),
    dataset: datasetRoots.map(plain),
    ...(lists && { lists: [...lists] }),
  };
}

/**
 * @param data fields that have passed their checks
 * @param what names the file, for errors
 * @throws {FormatError | GraphError | ShapeError | ProgramError | JobError} when they are no consistent job
 */
export function outlineFrom(data: OutlineFields, what: string): JobOutline {
  // The job's id joins parts of a fixed length without separators.
  if (data.initKind === "checkpoint" && data.init.length !== 32)
    throw new FormatError("MALFORMED", `${what}: its initial state has no root of 32 bytes; restore the file`, {
      what,
    });
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
    ...(data.lists && { lists: data.lists }),
  };
  checkOutline(outline);
  return outline;
}

/** The first field that is not in its range. */
export function wrongField<Fields extends object>(
  data: Partial<Fields>,
  checks: Checks<Fields>,
): keyof Fields | undefined {
  return (Object.keys(checks) as (keyof Fields)[]).find((field) => !checks[field](data[field]));
}

/**
 * The fields of a map in CBOR. Fields that have no check are the caller's to refuse, by encoding the map
 * again.
 * @param what names the file, for errors
 * @param format the version that is read, of the field `format`
 * @param remedy what the user can do about damage, and about another version
 * @throws {FormatError} when it is no such map
 */
export function decodeFields<Fields extends { format: number }>(
  bytes: Bytes,
  what: string,
  { checks, format, remedy }: { checks: Checks<Fields>; format: number; remedy: { damage: string; version: string } },
): Fields {
  let raw: Partial<Fields>;
  try {
    raw = decode(plain(bytes), { allowIndefinite: false, rejectDuplicateMapKeys: true, strict: true }) as typeof raw;
  } catch (cause) {
    throw new FormatError(
      "NOT_CANONICAL",
      `${what}: it is not canonical CBOR (${messageOf(cause)}); ${remedy.damage}`,
      { what },
    );
  }
  if (typeof raw !== "object" || raw === null)
    throw new FormatError("MALFORMED", `${what}: it is not a map; ${remedy.damage}`, { what });
  if (isCount(raw.format) && raw.format !== format)
    throw new FormatError(
      "VERSION",
      `${what}: it has format version ${raw.format}, and this reads version ${format}; ${remedy.version}`,
      { what, expected: format, found: raw.format },
    );
  const wrong = wrongField(raw, checks);
  if (wrong !== undefined)
    throw new FormatError(
      "MALFORMED",
      `${what}: its field ${String(wrong)} is missing or malformed; ${remedy.damage}`,
      { what },
    );
  return raw as Fields;
}
