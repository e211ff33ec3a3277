/**
 * Verdicts as JSON (spec 7.7). A proof refutes claims from their own trees: anyone can check it. A ruling
 * says what a referee found and can't prove. Byte strings are hexadecimal. Both also hold some facts that a
 * checker derives, for human readers.
 */
import type { TensorType } from "../encoding/tensor.ts";
import type { JobParts } from "../job/closed.ts";
import type { DecisionKind, Location } from "./decision.ts";
import type { Ground } from "./judge.ts";
import type { Pair } from "../game/level.ts";

export type Hex = string;
export type PartyLetter = "a" | "b";
export const PARTIES = ["a", "b"] as const satisfies Pair<PartyLetter>;
/** The version of both kinds of files. */
export const VERDICT_VERSION = 3;

/** The job that the runs are about, and how often they commit to their state. */
export interface JobEvidence {
  job: {
    info: Hex;
    step: Hex;
    initKind: JobParts["initKind"];
    init: Hex;
    dataset: Hex;
    lists?: number[];
    steps: number;
  };
  commitEvery: number;
}

/**
 * What shows that a claim is wrong: a step from its own trees, or two signatures that contradict each other.
 */
export type Refuted = StepRefuted | EquivocationRefuted;

/** A claim that one step refutes. */
export interface StepRefuted {
  run: Hex;
  /** Whose statement is refuted. `null` if the run root itself is, whoever claims it. */
  address: Hex | null;
  /** `root`: everything follows from the run root. `signature`: some trees are bound by a signature. */
  ground: "root" | "signature";
  /** The way down, as this party claims it. */
  levels: LevelEvidence[];
  /** The header of the disputed graph, and the disputed operator. */
  graph: GraphEvidence | null;
  /** The one-step proof: the agreed values that the step needs. */
  witness: WitnessEvidence;
  decision: Location & { kind: Ground; claimed: Hex; recomputed: Hex };
}

/** A claim whose key signed two roots for one tree. */
export interface EquivocationRefuted {
  run: Hex;
  address: Hex;
  ground: "equivocation";
  /** The tree, by its level's name, and its place. */
  place: { tree: string; segment: number; step: number; operator: number; element: number };
  roots: [Hex, Hex];
  signatures: [Hex, Hex];
}

/** A verdict that needs nobody's word (spec 7.7). */
export interface Proof extends JobEvidence {
  schemaVersion: typeof VERDICT_VERSION;
  kind: "proof";
  /** One or two claims. */
  refuted: Refuted[];
}

/** A verdict that rests on the word of a referee (spec 7.7). */
export interface Ruling extends JobEvidence {
  schemaVersion: typeof VERDICT_VERSION;
  kind: "ruling";
  claims: [ClaimEvidence, ClaimEvidence];
  decision: Location & {
    kind: DecisionKind;
    claimed: [Hex, Hex] | null;
    recomputed: Hex | null;
    losers: PartyLetter[];
    /** Why a loses, and why b does, where nothing was recomputed. */
    reasons: [string | null, string | null];
  };
  /** The first segment after which the two runs differ, so that anyone can replay it. */
  segment: SegmentEvidence | null;
  /** SHA-256 of the transcript. */
  transcript: Hex;
  /** The address of the referee, and its signature of this file. `null` if the referee had no key. */
  referee: Hex | null;
  signature: Hex | null;
}

/** What a dispute ends with. */
export type Verdict = Proof | Ruling;

export interface ClaimEvidence {
  run: Hex;
  address: Hex | null;
}

/** Leaf `index` of both segment trees. All leaves before it are equal. A pair holds what a said, then b. */
export interface SegmentEvidence {
  index: number;
  trees: [Hex, Hex];
  leaves: [Hex, Hex];
  proofs: [Hex[], Hex[]];
}

export interface LevelEvidence {
  level: string;
  index: number;
  count: number;
  part: number;
  /** `null` if only the tree's last leaf is needed, which is what the level above claims. */
  opening: Hex[] | null;
  payload: Hex;
  proof: Hex[];
  signature: Hex | null;
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
  preState: LeafEvidence | null;
  accumulator: LeafEvidence | null;
  entry: LeafEvidence | null;
  operands: { type: TensorType; chunk: Hex; chunkProof: Hex[]; proof: Hex[] }[];
}
