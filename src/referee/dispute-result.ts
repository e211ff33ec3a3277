/** How a dispute about two traces is carried out, and what it finds. */
import type { ClaimStore } from "../claims/store.ts";
import type { Bytes } from "../encoding/bytes.ts";
import type { DType } from "../encoding/tensor.ts";
import type { TokenFor } from "../formats/http.ts";
import type { Pair } from "../game/level.ts";
import type { Backend } from "../repops/backends/backend.ts";
import type { Decision, Location } from "./decision.ts";
import type { Reach } from "./remote/present.ts";
import type { SignedOpening } from "./equivocation.ts";
import type { NamedParty } from "./party.ts";
import type { Figures } from "./referee.ts";
import type { Verdict } from "./verdict.ts";

/** How a dispute is carried out. */
export interface DisputeOptions {
  /**
   * What the referee executes: one scalar step, or the whole operator. The default is one scalar step, or the
   * whole operator if one of the traces can't show its tensors.
   */
  recompute?: "scalar" | "operator";
  /**
   * The backend that replays the runs and recomputes the operator: a backend, its name, `auto`, or the file
   * of a module that exports one. It is certified first. By default runs are replayed on WASM, or on the
   * best device if a run was made on one, and the reference recomputes.
   */
  backend?: Backend | string;
  /**
   * The keys of this user. A run that one of them has claimed is answered for with signatures, so that the
   * verdict can be a proof. A ruling is signed by the user's own key. Without it, nothing is signed.
   */
  claims?: ClaimStore;
  /** Whether a party that gives no answer loses. The default is `false`: then nothing is decided. */
  forfeitSilent?: boolean;
  /** The milliseconds that a party has for one answer. The default is ten minutes. */
  timeout?: number;
  /**
   * Run each party in a process of its own, with this much memory. Then no file of a party can stop or block
   * the referee, and both compute at once. The backend has to be a name or a file. Default: in this process.
   */
  apart?: { memory?: number };
  /** The token that a party's server wants, by its address. */
  tokenFor?: TokenFor;
  /**
   * Reaches a party at an address that is not the one of an HTTP server. Default: there are only such
   * servers.
   */
  reach?: Reach;
}

/** Two traces that commit to the same run. */
export interface Agreement {
  outcome: "agree";
  parties: Pair<NamedParty>;
  runRoots: Pair<Bytes>;
  losers: readonly string[];
  figures: Figures;
}

/** A dispute in which a party could not answer: nothing is decided. */
export interface Undecision {
  outcome: "undecided";
  parties: Pair<NamedParty>;
  runRoots: Pair<Bytes>;
  losers: readonly string[];
  /** The parties that gave no answer, each with the reason: what it lacks, and what it needs. */
  silent: readonly { id: string; name: string; reason: string }[];
  figures: Figures;
  /** The text of the transcript. */
  transcript: string;
  /** What the user should know: keys that could not be used. */
  notes: readonly string[];
}

/** Two traces that differ: where they differ, and which party is wrong. */
export interface Divergence extends Location {
  outcome: "divergence";
  /** In the order of the verdict's sides. */
  parties: Pair<NamedParty>;
  runRoots: Pair<Bytes>;
  /** The ids of the parties whose claims are wrong. */
  losers: readonly string[];
  /** The ids of the losers whose claims the verdict proves wrong. The others lose by the referee's word. */
  proven: readonly string[];
  decision: Decision;
  /** What each party claims: an element's four bytes, most significant first, or a root. */
  claimed?: Pair<Bytes>;
  recomputed?: Bytes;
  /** The type of the element. */
  dtype?: DType;
  /** Why a party forfeits. */
  reasons: Pair<string | undefined>;
  figures: Figures;
  /** Scalar steps of the whole run, for comparison with those of the referee. */
  runSteps: number;
  verdict: Verdict;
  /** The text of the transcript. The verdict follows from it (`concludeFrom`). */
  transcript: string;
  /** The openings that the parties have signed. */
  openings: readonly SignedOpening[];
  /** Training steps that the referee executed, because a loser has only the records in its file. */
  replayed?: number;
  /** What the user should know: keys that could not be used. */
  notes: readonly string[];
}

/** What `dispute` finds: the runs agree, or they differ, and then where and which party is wrong. */
export type DisputeResult = Agreement | Divergence | Undecision;
