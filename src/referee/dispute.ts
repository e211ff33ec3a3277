/** A dispute about two traces on disk: `verde dispute` as a function. */
import { openBackend } from "../certify/open-backend.ts";
import type { RunClaim } from "../claims/claim.ts";
import type { ClaimStore } from "../claims/store.ts";
import { signDigest } from "../claims/signature.ts";
import { bytesEqual } from "../encoding/bytes.ts";
import { unravel } from "../encoding/tensor.ts";
import { KeyError } from "../errors/index.ts";
import { bothSides, type Pair, positionOf } from "../game/level.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { openAnyTrace } from "../trace/any-source.ts";
import { type Presented, presentBoth } from "./apart/present.ts";
import { conclude, openingsIn, type RefereeKey } from "./conclude.ts";
import { checkComparable } from "./comparable.ts";
import { countJobSteps } from "./cost.ts";
import { locate } from "./decision.ts";
import type { DisputeOptions, DisputeResult, Divergence, Undecision } from "./dispute-result.ts";
import { jobFacts } from "./facts.ts";
import { kernelAt } from "./machine.ts";
import { confirmLoss } from "./confirm.ts";
import { claimOf, type OpenedParty, whyUnsigned } from "./opened-party.ts";
import { type NamedParty, partiesOf, type PartyInput, type TraceParty } from "./party.ts";
import { placeOf } from "./place.ts";
import { presentRemote } from "./remote/present.ts";
import { arbitrate, type Heard } from "./referee.ts";
import { shownGraph } from "./shown-graph.ts";
import { writeTranscript } from "./transcript-file.ts";

export type { Agreement, DisputeOptions, DisputeResult, Divergence, Undecision } from "./dispute-result.ts";

/**
 * Compares two finished runs of one job, and finds where they differ and which party is wrong. A party whose
 * files can't be used is named, and nothing is decided.
 * @param first a trace's path, the address of a server that answers for one, or a party with an id that the
 *   caller chooses
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
  const { apart, timeout, backend, claims, tokenFor, reach } = options;
  const reaching = {
    ...(timeout !== undefined && { timeout }),
    ...(tokenFor && { tokenFor }),
    ...(reach && { reach }),
  };
  const traces = await presentBoth([named[0].trace, named[1].trace], {
    remote: (url) => presentRemote(url, reaching),
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
  const claimIn = async (trace: Presented): Promise<RunClaim> => trace.claim ?? claimOf(trace, options.claims);
  const claims = [await claimIn(traces[0]), await claimIn(traces[1])] as const;
  const parties = bothSides((side) => partyIn(named[side], claims[side]));
  const runRoots = bothSides((side) => traces[side].runRoot);
  if (bytesEqual(...runRoots)) {
    const figures = { scalarSteps: 0, bytes: 64, rounds: 0, millis: 0 };
    return { outcome: "agree", parties, runRoots, losers: [], figures };
  }
  const notes: string[] = [];
  for (const [side, trace] of traces.entries()) {
    const why = trace.claim ? whySilent(trace.claim) : await whyUnsigned(trace, options.claims);
    if (why !== undefined) notes.push(`nothing is signed for ${parties[side].name}: ${why}`);
  }
  const { backend: wanted } = options;
  const backend = wanted === undefined ? undefined : (await openBackend(wanted)).backend;
  const opened = options.apart
    ? await Promise.all(bothSides((side) => traces[side].open()))
    : ([await traces[0].open(backend), await traces[1].open(backend)] as const);
  return decide(parties, claims, traces, opened, { ...options, backend, notes });
}

/** A party elsewhere signs with a key of its own, or it does not. */
function whySilent({ address }: RunClaim): string | undefined {
  return address ? undefined : "it has not signed that it claims the run";
}

function partyIn({ id, name }: TraceParty, { run, address }: RunClaim): NamedParty {
  return { id, name, runRoot: run, ...(address && { address }) };
}

interface DecideOptions extends Omit<DisputeOptions, "backend"> {
  backend: Backend | undefined;
  notes: string[];
}

async function decide(
  parties: Pair<NamedParty>,
  claims: Pair<RunClaim>,
  traces: Pair<Presented>,
  opened: Pair<OpenedParty>,
  { recompute, backend, claims: store, forfeitSilent = false, timeout, apart, notes, tokenFor }: DecideOptions,
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
  const undecided = (reasons: Pair<string | undefined>): Undecision => {
    const silent = parties.flatMap(({ id, name }, side) => {
      const reason = reasons[side];
      return reason === undefined ? [] : [{ id, name, reason }];
    });
    const text = writeTranscript(facts, transcript, graph);
    return { outcome: "undecided", parties, runRoots, losers: [], silent, figures, transcript: text, notes };
  };
  if (finding.kind === "undecided") return undecided(finding.reasons);
  const isSilence = finding.kind === "forfeit" && forfeitSilent;
  const recorded = !isSilence && finding.losers.find((side) => !opened[side].canReplay);
  const confirmed =
    typeof recorded === "number" &&
    (await confirmLoss(facts, finding, recorded, () => openAnyTrace(traces[1 - recorded].path, tokenFor), backend));
  if (confirmed && "doubt" in confirmed)
    return undecided(bothSides((side) => (side === recorded ? confirmed.doubt : undefined)));
  const { seen } = finding;
  const { claimed, recomputed } = seen ?? finding;
  const place = placeOf(facts, at);
  const conclusion = await conclude({ facts, graph, transcript, decision: finding }, () => refereeKey(store, notes));
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
    ...(confirmed && { replayed: confirmed.steps }),
    notes,
  };
}

async function refereeKey(store: ClaimStore | undefined, notes: string[]): Promise<RefereeKey | undefined> {
  const key = await store?.keyFor("own").catch((error: unknown) => {
    if (!(error instanceof KeyError)) throw error;
    notes.push(`the ruling is not signed: ${error.message}`);
    return undefined;
  });
  return key && { address: key.address, sign: async (digest) => signDigest(digest, key.secret) };
}
