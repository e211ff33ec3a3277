/** The first record of a trace: the closed job without its data, and how it was run. */
import { encode } from "cborg";
import { bytesEqual, type Bytes } from "../encoding/bytes.ts";
import { FormatError, type FormatSubCode } from "../errors/index.ts";
import { type ClosedJob, jobIdOf, type JobId, type JobOutline, outlineOf, partsOf } from "../job/closed.ts";
import { type Fault, formatFault, parseFault } from "./fault.ts";
import {
  type Checks,
  decodeFields,
  fieldsOf,
  isShort,
  isText,
  oneOf,
  OUTLINE_CHECKS,
  type OutlineFields,
  outlineFrom,
  wrongField,
} from "./outline.ts";

/** Raised by every change to the meaning of a trace, and by a new version of the specification. */
export const FORMAT_VERSION = 5;
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

export function manifestOf<Settings extends Omit<RunSettings, "checkpointEvery">>(
  job: ClosedJob,
  settings: Settings,
): Settings & Pick<Manifest, "outline" | "jobId"> {
  const outline = outlineOf(job);
  return { ...settings, outline, jobId: jobIdOf(partsOf(outline)) };
}

/** The manifest as the file holds it. */
interface Encoded extends OutlineFields {
  format: number;
  commitEvery: number;
  checkpointEvery: number;
  detail: Detail;
  backend: string;
  fault: string | null;
}

const CHECKS: Checks<Encoded> = {
  format: oneOf(FORMAT_VERSION),
  ...OUTLINE_CHECKS,
  commitEvery: (value) => isShort(value) && value !== 0,
  checkpointEvery: isShort,
  detail: oneOf("steps", "operators"),
  backend: isText,
  fault: (value) => value === null || isText(value),
};
const REMEDY = {
  damage: "restore the file, or run the job again",
  version: "it can't be read or resumed here, so run the job again, or use the version of Verde that wrote it",
};

/** @throws {FormatError} when a field is out of its range, so that readers would refuse the manifest */
export function encodeManifest({ outline, commitEvery, checkpointEvery, detail, backend, fault }: Manifest): Bytes {
  const encoded: Encoded = {
    format: FORMAT_VERSION,
    ...fieldsOf(outline),
    commitEvery,
    checkpointEvery,
    detail,
    backend,
    fault: fault ? formatFault(fault) : null,
  };
  const wrong = wrongField(encoded, CHECKS);
  if (wrong)
    throw new FormatError(
      "RANGE",
      `this run can't be recorded: the ${wrong} of its manifest is out of range (docs/trace-format.md); change it, and run the job again`,
      { field: wrong, found: encoded[wrong] },
    );
  return encode(encoded);
}

/**
 * @param what names the file, for errors
 * @throws {FormatError | GraphError | ShapeError | ProgramError} when it is not the manifest of a consistent
 * job
 */
export function decodeManifest(bytes: Bytes, what: string): Manifest {
  const fail = (subCode: FormatSubCode, problem: string): never => {
    throw new FormatError(subCode, `${what}: ${problem}; ${REMEDY.damage}`, { what });
  };
  const data = decodeFields<Encoded>(bytes, what, { checks: CHECKS, format: FORMAT_VERSION, remedy: REMEDY });
  const outline = outlineFrom(data, what);
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
  if (!bytesEqual(encodeManifest(manifest), bytes)) fail("NOT_CANONICAL", "it is not in canonical form");
  return manifest;
}
