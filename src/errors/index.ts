/** Failures: one class for each kind, with codes and sub-codes (docs/errors.md). */
import "./engine.ts";

export { BackendError, type BackendSubCode, DeviceError } from "./backend.ts";
export { ChainError } from "./chain.ts";
export { CODES, type Family } from "./codes.ts";
export {
  GraphError,
  ProgramError,
  type ProgramSubCode,
  ShapeError,
  type ShapeSubCode,
  ValueError,
} from "./computation.ts";
export { DisputeError, type DisputeSubCode, SecondOpinionError } from "./dispute.ts";
export { FileError, type FileSubCode } from "./file.ts";
export { FormatError, type FormatSubCode, isMissing, unreadable } from "./format.ts";
export { JobError, type JobSubCode } from "./job.ts";
export { KeyError } from "./key.ts";
export { RoundsError, type RoundsSubCode } from "./rounds.ts";
export { RunError, type RunSubCode } from "./run.ts";
export { TransportError, type TransportSubCode } from "./transport.ts";
export { unwritable } from "./unwritable.ts";
export { UsageError } from "./usage.ts";
export { type Evidence, messageOf, VerdeError } from "./verde-error.ts";
