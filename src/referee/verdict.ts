/**
 * The verdict (spec 7.7): a decision with all that is needed to check it, as JSON. Byte strings are
 * hexadecimal. A verdict also holds some facts that a checker can derive, for human readers. They have to
 * agree with what is derived.
 */
import { type Bytes, toHex } from "../encoding/bytes.ts";
import { type Proof, proveLeaf, rootOf } from "../encoding/merkle.ts";
import type { TensorType } from "../encoding/tensor.ts";
import { encodeKernel, graphTrees } from "../graph/codec.ts";
import type { JobOutline, JobParts } from "../job/closed.ts";
import type { Decision, DecisionKind, Location } from "./decision.ts";
import { locate } from "./decision.ts";
import { graphOf, type JobFacts, jobFacts } from "./facts.ts";
import { type Pair, type Passed, positionOf, type Side } from "../game/level.ts";
import { graphAt, placeOf } from "./place.ts";
import type { AgreedLeaf, ElementProof, Witness } from "./witness.ts";

export type Hex = string;
export type Party = "a" | "b";
export const PARTIES = ["a", "b"] as const satisfies Pair<Party>;

/** A verdict as JSON (spec 7.7). It has enough evidence for anyone to derive it again with `checkVerdict`. */
export interface Verdict {
  schemaVersion: 2;
  /** The run roots of a and b. */
  runRoots: [Hex, Hex];
  job: { info: Hex; step: Hex; initKind: JobParts["initKind"]; init: Hex; dataset: Hex; steps: number };
  commitEvery: number;
  /** The way down. A pair holds what a said, then what b said. */
  levels: LevelEvidence[];
  /** The header of the disputed graph, and the disputed operator. */
  graph: GraphEvidence | null;
  /** The one-step proof: the agreed values that the step needs. */
  witness: WitnessEvidence | null;
  decision: Location & {
    kind: DecisionKind;
    claimed: [Hex, Hex] | null;
    recomputed: Hex | null;
    losers: Party[];
    /** Why a forfeits, and why b does. */
    reasons: [string | null, string | null];
  };
}

export interface LevelEvidence {
  level: string;
  index: number;
  count: number;
  openings: [Hex[], Hex[]];
  payloads: [Hex, Hex];
  proofs: [Hex[], Hex[]];
}

export interface GraphEvidence {
  header: Hex;
  operators: Hex;
  labels: Hex;
  operator: { descriptor: Hex; proof: Hex[]; label: string; labelProof: Hex[] } | null;
}

export interface LeafEvidence {
  payload: Hex;
  proof: Hex[];
}

export interface WitnessEvidence {
  shownBy: Party;
  preState: LeafEvidence | null;
  accumulator: LeafEvidence | null;
  entry: LeafEvidence | null;
  operands: { type: TensorType; chunk: Hex; chunkProof: Hex[]; proof: Hex[] }[];
}

/** The parts of a graph that a verdict shows, before they are encoded as text. */
export interface ShownGraph {
  header: Bytes;
  kernels: Bytes;
  labels: Bytes;
  kernel?: { descriptor: Bytes; proof: Proof; label: string; labelProof: Proof };
}

/** The content of a verdict, before it is encoded as text. */
export interface VerdictContent {
  runRoots: Pair<Bytes>;
  facts: JobFacts;
  graph?: ShownGraph;
  decision: Decision;
}

/** The verdict for a decision, with all evidence that it rests on. */
export function makeVerdict(
  outline: JobOutline,
  commitEvery: number,
  runRoots: Pair<Bytes>,
  decision: Decision,
): Verdict {
  const facts = jobFacts(outline, commitEvery);
  const graph = shownGraph(outline, facts, decision.path);
  return encodeVerdict({ runRoots, facts, ...(graph && { graph }), decision });
}

/** The parts of the disputed graph that have to be shown if the dispute has reached one of its operators. */
function shownGraph(outline: JobOutline, facts: JobFacts, path: readonly Passed[]): ShownGraph | undefined {
  const place = placeOf(facts, positionOf(path));
  if (place.kernel === undefined) return undefined;
  const graph = graphOf(outline, graphAt(place));
  const { header, kernels, labels } = graphTrees(graph);
  const shown: ShownGraph = { header, kernels: rootOf(kernels), labels: rootOf(labels) };
  if (place.kernel === graph.kernels.length) return shown;
  const kernel = {
    descriptor: encodeKernel(graph.kernels[place.kernel]),
    proof: proveLeaf(kernels, place.kernel),
    label: graph.labels[place.kernel],
    labelProof: proveLeaf(labels, place.kernel),
  };
  return { ...shown, kernel };
}

const pairOf = <T, U>([a, b]: Pair<T>, encode: (value: T) => U): [U, U] => [encode(a), encode(b)];
const hexes = (parts: readonly Bytes[]): Hex[] => parts.map(toHex);
const partyOf = (side: Side): Party => PARTIES[side];

export function encodeVerdict({ runRoots, facts, graph, decision }: VerdictContent): Verdict {
  const { info, step, initKind, init, dataset, steps } = facts.parts;
  const { kind, path, losers, claimed, recomputed, witness, shownBy, reasons } = decision;
  return {
    schemaVersion: 2,
    runRoots: pairOf(runRoots, toHex),
    job: { info: toHex(info), step: toHex(step), initKind, init: toHex(init), dataset: toHex(dataset), steps },
    commitEvery: facts.commitEvery,
    levels: path.map(encodeLevel),
    graph: graph ? encodeGraphEvidence(graph) : null,
    witness: witness ? encodeWitness(witness, shownBy!) : null,
    decision: {
      kind,
      ...locate(facts, path),
      claimed: claimed ? pairOf(claimed, toHex) : null,
      recomputed: recomputed ? toHex(recomputed) : null,
      losers: losers.map(partyOf),
      reasons: [reasons?.[0] ?? null, reasons?.[1] ?? null],
    },
  };
}

function encodeLevel({ level, index, openings, payloads, proofs }: Passed): LevelEvidence {
  return {
    level: level.name,
    index,
    count: level.count,
    openings: pairOf(openings, hexes),
    payloads: pairOf(payloads, toHex),
    proofs: pairOf(proofs, hexes),
  };
}

function encodeGraphEvidence({ header, kernels, labels, kernel }: ShownGraph): GraphEvidence {
  return {
    header: toHex(header),
    operators: toHex(kernels),
    labels: toHex(labels),
    operator: kernel
      ? {
          descriptor: toHex(kernel.descriptor),
          proof: hexes(kernel.proof),
          label: kernel.label,
          labelProof: hexes(kernel.labelProof),
        }
      : null,
  };
}

function encodeWitness({ before, accumulator, entry, operands }: Witness, shownBy: Side): WitnessEvidence {
  const leaf = (value: AgreedLeaf | undefined): LeafEvidence | null =>
    value ? { payload: toHex(value.payload), proof: hexes(value.proof) } : null;
  return {
    shownBy: partyOf(shownBy),
    preState: leaf(before),
    accumulator: leaf(accumulator),
    entry: leaf(entry),
    operands: operands.map(({ type, chunk, chunkProof, proof }: ElementProof) => ({
      type: { dtype: type.dtype, shape: type.shape },
      chunk: toHex(chunk),
      chunkProof: hexes(chunkProof),
      proof: hexes(proof),
    })),
  };
}
