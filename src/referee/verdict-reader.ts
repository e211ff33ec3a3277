/** Reads the parts of a verdict's JSON (spec 7.7). Only the form of each part is checked here. */
import { type Bytes, fromHex } from "../encoding/bytes.ts";
import { DisputeError, type DisputeSubCode, type Evidence } from "../errors/index.ts";
import type { Pair, Side } from "../game/level.ts";
import { type Hex, PARTIES, type ShownGraph, type Verdict, type WitnessEvidence } from "./verdict.ts";
import type { Witness } from "./witness.ts";

/** An error about a verdict, with what to do about it. */
export function invalid(subCode: DisputeSubCode, problem: string, evidence?: Evidence): DisputeError {
  return new DisputeError(
    subCode,
    `${problem}; write a new verdict with \`verde dispute A B --verdict FILE\``,
    evidence,
  );
}

/** The graph that a verdict shows. */
export function readGraph(graph: NonNullable<Verdict["graph"]>): ShownGraph {
  const { header, operators, labels, operator } = graph;
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

/** The one-step proof of a verdict, and the side that showed it. */
export function readWitness(evidence: WitnessEvidence): { witness: Witness; shownBy: Side } {
  const shownBy = PARTIES.indexOf(evidence.shownBy);
  if (shownBy !== 0 && shownBy !== 1)
    throw invalid("VERDICT_MALFORMED", "the one-step proof does not say which party showed it");
  const leaf = (value: WitnessEvidence["preState"]) =>
    value && { payload: fromHex(value.payload), proof: digests(value.proof) };
  const [before, accumulator, entry] = [leaf(evidence.preState), leaf(evidence.accumulator), leaf(evidence.entry)];
  const operands = evidence.operands.map(({ type, chunk, chunkProof, proof }) => ({
    type: { dtype: type.dtype, shape: type.shape.map(whole) },
    chunk: fromHex(chunk),
    chunkProof: digests(chunkProof),
    proof: digests(proof),
  }));
  const witness: Witness = {
    ...(before && { before }),
    ...(accumulator && { accumulator }),
    ...(entry && { entry }),
    operands,
  };
  return { witness, shownBy };
}

/** 32 bytes. */
export const digest = (hex: Hex): Bytes => fromHex(hex, 32);
/** Several hashes of 32 bytes. */
export const digests = (list: Hex[]): Bytes[] => list.map(digest);

/** A value for each of the two parties. */
export function readPair<T, U>(pair: readonly [T, T], read: (value: T) => U): Pair<U> {
  if (pair.length !== 2) throw invalid("VERDICT_MALFORMED", `a pair has ${pair.length} parts instead of two`);
  return [read(pair[0]), read(pair[1])];
}

/** A count. */
export function whole(value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw invalid("VERDICT_MALFORMED", `${value} is not a count`);
  return value;
}
