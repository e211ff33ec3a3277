/** Reads the parts of a verdict's JSON (spec 7.7). Only the form of each part is checked here. */
import { parseAddress, type RunClaim } from "../claims/claim.ts";
import { type Bytes, fromHex } from "../encoding/bytes.ts";
import { DisputeError, type DisputeSubCode, type Evidence, messageOf } from "../errors/index.ts";
import type { Pair } from "../game/level.ts";
import type { JobParts } from "../job/closed.ts";
import type { ShownGraph } from "./shown-graph.ts";
import type { ClaimEvidence, GraphEvidence, Hex, JobEvidence, WitnessEvidence } from "./verdict.ts";
import type { Witness } from "./witness.ts";

/** An error about a verdict, with what to do about it. */
export function invalid(subCode: DisputeSubCode, problem: string, evidence?: Evidence): DisputeError {
  return new DisputeError(
    subCode,
    `${problem}; write a new verdict with \`verde dispute A B --verdict FILE\``,
    evidence,
  );
}

/** The parts of the job, and the number of steps in a segment. */
export function readJob({ job, commitEvery }: JobEvidence): { parts: JobParts; commitEvery: number } {
  const { initKind } = job;
  if (initKind !== "graph" && initKind !== "checkpoint")
    throw invalid("VERDICT_MALFORMED", `the kind of init is ${initKind}, not graph or checkpoint`);
  const parts: JobParts = {
    info: fromHex(job.info),
    step: digest(job.step),
    initKind,
    init: digest(job.init),
    dataset: digest(job.dataset),
    ...(job.lists && { lists: readLengths(job.lists) }),
    steps: whole(job.steps),
  };
  for (const [name, value, least] of [
    ["steps", parts.steps, 0],
    ["commitEvery", whole(commitEvery), 1],
  ] as const)
    if (value < least || value >= 2 ** 31)
      throw invalid("VERDICT_MALFORMED", `${name} is ${value}; it has to be from ${least} to 2^31 - 1`, {
        [name]: value,
      });
  return { parts, commitEvery };
}

/** The lengths of a dataset's lists. The dataset's root binds them. */
function readLengths(lengths: unknown): number[] {
  if (!Array.isArray(lengths) || lengths.length > 2 ** 20)
    throw invalid("VERDICT_MALFORMED", "the lengths of the dataset's lists are no list of numbers");
  return lengths.map(whole);
}

export function readClaim({ run, address }: ClaimEvidence): RunClaim {
  return { run: digest(run), ...(address !== null && { address: readAddress(address) }) };
}

/** 20 bytes, from an address with its checksum. */
export function readAddress(text: Hex): Bytes {
  try {
    return parseAddress(text, "the verdict");
  } catch (error) {
    throw invalid("VERDICT_MALFORMED", messageOf(error));
  }
}

/** The graph that a verdict shows. */
export function readGraph({ header, operators, labels, operator }: GraphEvidence): ShownGraph {
  const shown = { header: fromHex(header), kernels: digest(operators), labels: digest(labels) };
  if (!operator) return shown;
  if (typeof operator.label !== "string") throw invalid("VERDICT_MALFORMED", "the operator's label is not a text");
  return {
    ...shown,
    kernel: {
      descriptor: fromHex(operator.descriptor),
      proof: digests(operator.proof),
      label: operator.label,
      labelProof: digests(operator.labelProof),
    },
  };
}

/** The one-step proof of a verdict. */
export function readWitness(evidence: WitnessEvidence): Witness {
  const leaf = (value: WitnessEvidence["preState"]) =>
    value && { payload: fromHex(value.payload), proof: digests(value.proof) };
  const [before, accumulator, entry] = [leaf(evidence.preState), leaf(evidence.accumulator), leaf(evidence.entry)];
  const operands = evidence.operands.map(({ type, chunk, chunkProof, proof }) => ({
    type: { dtype: type.dtype, shape: type.shape.map(whole) },
    chunk: fromHex(chunk),
    chunkProof: digests(chunkProof),
    proof: digests(proof),
  }));
  return {
    ...(before && { before }),
    ...(accumulator && { accumulator }),
    ...(entry && { entry }),
    operands,
  };
}

/** 32 bytes. */
export const digest = (hex: Hex): Bytes => fromHex(hex, 32);
/** Several hashes of 32 bytes. */
export const digests = (list: Hex[]): Bytes[] => list.map(digest);

/** A value for each of the two parties. */
export function readPair<T, U>(pair: readonly [T, T], read: (value: T) => U): Pair<U> {
  if (pair.length !== 2) throw invalid("VERDICT_MALFORMED", `a pair has ${pair.length} values instead of two`);
  return [read(pair[0]), read(pair[1])];
}

/** A whole number of at most 32 bits: every number in a verdict is one. */
export function whole(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
    throw invalid("VERDICT_MALFORMED", `${String(value).slice(0, 40)} is not a whole number below 2^32`);
  return value;
}

/** The path to the first field in which two JSON values differ. Missing and extra fields count too. */
export function differingField(expected: unknown, actual: unknown, at: string): string | undefined {
  if (Object.is(expected, actual)) return undefined;
  const areObjects = typeof expected === "object" && typeof actual === "object" && expected !== null && actual !== null;
  if (!areObjects || Array.isArray(expected) !== Array.isArray(actual)) return at;
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const field = `${at}.${key}`;
    if (!Object.hasOwn(expected, key) || !Object.hasOwn(actual, key)) return field;
    const difference = differingField(expected[key as never], actual[key as never], field);
    if (difference) return difference;
  }
  return undefined;
}
