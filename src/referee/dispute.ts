/** A dispute about two traces on disk: `verde dispute` as a function. */
import { openBackend } from "../certify/open-backend.ts";
import type { RunClaim } from "../claims/claim.ts";
import type { ClaimStore } from "../claims/store.ts";
import { signDigest } from "../claims/signature.ts";
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { type DType, unravel } from "../encoding/tensor.ts";
import { bothSides, type Pair, positionOf } from "../game/level.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { type Presented, presentBoth } from "./apart/present.ts";
import { conclude, openingsIn, type RefereeKey } from "./conclude.ts";
import { checkComparable } from "./comparable.ts";
import { countJobSteps } from "./cost.ts";
import { type Decision, type Location, locate } from "./decision.ts";
import type { SignedOpening } from "./equivocation.ts";
import { jobFacts } from "./facts.ts";
import { kernelAt } from "./machine.ts";
import { claimOf, type OpenedParty } from "./opened-party.ts";
import { type NamedParty, partiesOf, type PartyInput, type TraceParty } from "./party.ts";
import { placeOf } from "./place.ts";
import { arbitrate, type Figures, type Heard } from "./referee.ts";
import { shownGraph } from "./shown-graph.ts";
import { writeTranscript } from "./transcript-file.ts";
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
}

/** What `dispute` finds: the runs agree, or they differ, and then where and which party is wrong. */
export type DisputeResult = Agreement | Divergence | Undecision;

/**
 * Compares two finished runs of one job, and finds where they differ and which party is wrong. A party whose
 * files can't be used is named, and nothing is decided.
 * @param first a trace's path, or a party with an id that the caller chooses
 * @throws {FormatError} for a trace that is cut off or damaged
 * @throws {DisputeError} when the two are not runs of one job with the same commitments, or have the same id
 * @throws {BackendError} when the referee's backend is not available
 * @throws {DeviceError} when the referee's backend does not compute the bits of the specification
 */
export async function dispute(
  first: PartyInput,
  second: PartyInput,
  options: DisputeOptions = {},
): Promise<DisputeResult> {
  const named = partiesOf([first, second]);
  const { apart, timeout, backend, claims } = options;
  const traces = await presentBoth([named[0].trace, named[1].trace], {
    ...(backend && { backend }),
    ...(claims && { claims }),
    ...(apart && { apart: { ...apart, ...(timeout !== undefined && { timeout }) } }),
  });
  try {
    return await disputeOf(named, traces, options);
  } finally {
    await Promise.all(traces.map((trace) => trace.close()));
  }
}

async function disputeOf(
  named: readonly TraceParty[],
  traces: Pair<Presented>,
  options: DisputeOptions,
): Promise<DisputeResult> {
  checkComparable(...traces);
  const claims = [await claimOf(traces[0], options.claims), await claimOf(traces[1], options.claims)] as const;
  const parties = bothSides((side) => partyIn(named[side], claims[side]));
  const runRoots = bothSides((side) => traces[side].runRoot);
  if (bytesEqual(...runRoots)) {
    const figures = { scalarSteps: 0, bytes: 64, rounds: 0, millis: 0 };
    return { outcome: "agree", parties, runRoots, losers: [], figures };
  }
  const { backend: wanted } = options;
  const backend = wanted === undefined ? undefined : (await openBackend(wanted)).backend;
  const opened = options.apart
    ? await Promise.all(bothSides((side) => traces[side].open()))
    : ([await traces[0].open(backend), await traces[1].open(backend)] as const);
  return decide(parties, claims, traces, opened, { ...options, backend });
}

function partyIn({ id, name }: TraceParty, { run, address }: RunClaim): NamedParty {
  return { id, name, runRoot: run, ...(address && { address }) };
}

interface DecideOptions extends Omit<DisputeOptions, "backend"> {
  backend: Backend | undefined;
}

async function decide(
  parties: Pair<NamedParty>,
  claims: Pair<RunClaim>,
  traces: Pair<Presented>,
  opened: Pair<OpenedParty>,
  { recompute, backend, claims: store, forfeitSilent = false, timeout, apart }: DecideOptions,
): Promise<Divergence | Undecision> {
  const { outline, commitEvery } = traces[0].manifest;
  const facts = jobFacts(outline, commitEvery);
  const isMute = opened.some(({ canReplay }) => !canReplay);
  const heard: Heard = await arbitrate(
    facts,
    bothSides((side) => opened[side].prover),
    claims,
    {
      depth: recompute ?? (isMute ? "operator" : "scalar"),
      forfeitSilent,
      // A process keeps the time limit of its party itself.
      ...(apart ? { timeout: Infinity, together: true } : timeout !== undefined && { timeout }),
      ...(backend && { backend }),
    },
  );
  const { finding, figures, transcript } = heard;
  const runRoots = bothSides((side) => claims[side].run);
  const at = positionOf(finding.path);
  const graph = shownGraph(outline, facts, at);
  if (finding.kind === "undecided") {
    const silent = parties.flatMap(({ id, name }, side) => {
      const reason = finding.reasons[side];
      return reason === undefined ? [] : [{ id, name, reason }];
    });
    const text = writeTranscript(facts, transcript, graph);
    return { outcome: "undecided", parties, runRoots, losers: [], silent, figures, transcript: text };
  }
  const { seen } = finding;
  const { claimed, recomputed } = seen ?? finding;
  const place = placeOf(facts, at);
  const conclusion = await conclude({ facts, graph, transcript, decision: finding }, () => refereeKey(store));
  return {
    outcome: "divergence",
    parties,
    runRoots,
    ...locate(facts, at),
    ...(seen && { element: unravel(seen.element, kernelAt(facts, place).type.shape) }),
    losers: finding.losers.map((side) => parties[side].id),
    proven: conclusion.proven.map((side) => parties[side].id),
    decision: finding,
    ...(claimed && { claimed }),
    ...(recomputed && { recomputed }),
    ...(recomputed?.length === 4 && { dtype: kernelAt(facts, place).type.dtype }),
    reasons: finding.reasons ?? [undefined, undefined],
    figures,
    runSteps: countJobSteps(outline),
    verdict: conclusion.verdict,
    transcript: conclusion.transcript,
    openings: openingsIn(facts, claims, finding),
  };
}

async function refereeKey(store: ClaimStore | undefined): Promise<RefereeKey | undefined> {
  const key = await store?.keyFor("own");
  return key && { address: key.address, sign: async (digest) => signDigest(digest, key.secret) };
}
