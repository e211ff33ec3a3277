import "./engine.ts";

/**
 * Every failure that Verde reports is a `VerdeError`: a stable code for programs, a sentence for people (what, where,
 * what to do), and the evidence it was decided on.
 */
export abstract class VerdeError extends Error {
  /** Stable across releases; scripts may match on it. */
  abstract readonly code: string;
  /** What the failure was decided on: names, indices, bit patterns, file positions. */
  readonly evidence: Readonly<Record<string, unknown>>;

  constructor(message: string, evidence: Record<string, unknown> = {}) {
    super(message);
    this.name = new.target.name;
    this.evidence = evidence;
  }
}

/** A command line or an option that can't be carried out as it was written. */
export class UsageError extends VerdeError {
  readonly code = "VERDE_USAGE";
}

/** A scalar program that is ill-typed, too long, or not in canonical form (spec 3). */
export class ProgramError extends VerdeError {
  readonly code = "VERDE_PROGRAM";
}

/** A view, kernel or tensor whose shapes do not fit together (spec 4). */
export class ShapeError extends VerdeError {
  readonly code = "VERDE_SHAPE";
}

/** A graph that is malformed: dangling references, missing outputs, not differentiable (spec 5). */
export class GraphError extends VerdeError {
  readonly code = "VERDE_GRAPH";
}

/** A value from outside that vf32 can't hold: NaN, an infinity, or a magnitude above 2^127 (spec 2.3). */
export class ValueError extends VerdeError {
  readonly code = "VERDE_VALUE";
}

/** Bytes that are not what they should be: cut, altered, foreign, or not canonical. */
export class FormatError extends VerdeError {
  readonly code = "VERDE_FORMAT";
}

/** A job that can't be used: missing parts, an unknown node, options that contradict each other. */
export class JobError extends VerdeError {
  readonly code = "VERDE_JOB";
}

/** A backend that can't do what is asked: too little memory, an unsupported program, no such device. */
export class BackendError extends VerdeError {
  readonly code = "VERDE_BACKEND";
}

/** A device that does not have the bits of the specification (`verde certify`): nothing may run on it. */
export class DeviceError extends VerdeError {
  readonly code = "VERDE_DEVICE";
}

/** Two claims that can't be compared, or a party whose answer contradicts what it committed to (spec 7). */
export class DisputeError extends VerdeError {
  readonly code = "VERDE_DISPUTE";
}

/** A private key that is missing, malformed, or behind another password. The message never repeats a key or a password. */
export class KeyError extends VerdeError {
  readonly code = "VERDE_KEY";
}

/** A chain that can't be reached, is not the one that was meant, or does not carry out what was asked of it. */
export class ChainError extends VerdeError {
  readonly code = "VERDE_CHAIN";
}

/** A message for whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
