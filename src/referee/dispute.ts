/** A dispute about two traces on disk: `verde dispute` as a function. */
import { type DType, unravel } from "../encoding/tensor.ts";
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { graphRoot } from "../graph/codec.ts";
import type { JobOutline } from "../job/closed.ts";
import { openBackend } from "../certify/open-backend.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { expectComplete, openTrace } from "../trace/index.ts";
import { trainingProver } from "./claim.ts";
import { countJobSteps } from "./cost.ts";
import { type Decision, type Location, locate } from "./decision.ts";
import { jobFacts } from "./facts.ts";
import { bothSides, type Pair, positionOf } from "../game/level.ts";
import { kernelAt } from "./machine.ts";
import { type NamedParty, partiesOf, type PartyInput, type TraceParty } from "./party.ts";
import { placeOf } from "./place.ts";
import { arbitrate, type Figures } from "./referee.ts";
import { type FinishedTrace, traceMemory, type TraceMemory } from "./trace-memory.ts";
import { makeVerdict, type Verdict } from "./verdict.ts";

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
}

/** Two traces that commit to the same run. */
export interface Agreement {
  outcome: "agree";
  parties: Pair<NamedParty>;
  runRoots: Pair<Bytes>;
  losers: readonly string[];
  figures: Figures;
}

/** Two traces that differ: where they differ, and which party is wrong. */
export interface Divergence extends Location {
  outcome: "divergence";
  /** In the order of the verdict's sides. */
  parties: Pair<NamedParty>;
  runRoots: Pair<Bytes>;
  /** The ids of the parties whose claims are wrong. */
  losers: readonly string[];
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
}

/** What `dispute` finds: the runs agree, or they differ, and then where and which party is wrong. */
export type DisputeResult = Agreement | Divergence;

/**
 * Compares two finished runs of one job, and finds where they differ and which party is wrong.
 * @param first a trace's path, or a party with an id that the caller chooses
 * @throws {FormatError} for a trace that is cut off, damaged, or lacks what is needed
 * @throws {DisputeError} when the two are not runs of one job with the same commitments, or have the same id
 * @throws {BackendError} when a backend is not available
 * @throws {DeviceError} when a backend does not compute the bits of the specification
 */
export async function dispute(
  first: PartyInput,
  second: PartyInput,
  options: DisputeOptions = {},
): Promise<DisputeResult> {
  const [one, other] = partiesOf([first, second]);
  const [a, b] = [expectComplete(await openTrace(one.trace)), expectComplete(await openTrace(other.trace))];
  checkComparable(a, b);
  const runRoots = [a.runRoot, b.runRoot] as const;
  const parties = [named(one, a.runRoot), named(other, b.runRoot)] as const;
  if (bytesEqual(...runRoots)) {
    const figures = { scalarSteps: 0, bytes: 64, rounds: 0, millis: 0 };
    return { outcome: "agree", parties, runRoots, losers: [], figures };
  }
  const { recompute, backend: wanted } = options;
  const backend = wanted === undefined ? undefined : (await openBackend(wanted)).backend;
  const memories = await openBoth(a, b, backend);
  try {
    return await decide(parties, memories, { recompute, backend });
  } finally {
    await Promise.all(memories.map((memory) => memory.close()));
  }
}

function named({ id, name }: TraceParty, runRoot: Bytes): NamedParty {
  return { id, name, runRoot };
}

async function openBoth(a: FinishedTrace, b: FinishedTrace, backend?: Backend): Promise<Pair<TraceMemory>> {
  const first = await traceMemory(a, backend);
  try {
    const second = await traceMemory(b, backend);
    if (first.canReplay || second.canReplay) return [first, second];
    throw new DisputeError(
      "NO_REPLAY",
      `neither trace can be replayed, so neither can show the operator's inputs: ${first.failure()}; ${second.failure()}; restore the files of one of them`,
    );
  } catch (error) {
    await first.close();
    throw error;
  }
}

async function decide(
  parties: Pair<NamedParty>,
  memories: Pair<TraceMemory>,
  { recompute, backend }: { recompute: DisputeOptions["recompute"]; backend: Backend | undefined },
): Promise<Divergence> {
  const { outline, commitEvery } = memories[0];
  const facts = jobFacts(outline, commitEvery);
  const runRoots = bothSides((side) => parties[side].runRoot);
  const mute = memories.find(({ canReplay }) => !canReplay);
  if (mute && recompute === "scalar")
    throw new DisputeError(
      "NO_REPLAY",
      `one of the traces can't be replayed, so it can't show an element: ${mute.failure()}; restore the file, or use --recompute operator`,
    );
  const { decision, figures } = await arbitrate(
    facts,
    bothSides((side) => trainingProver(memories[side])),
    runRoots,
    {
      depth: recompute ?? (mute ? "operator" : "scalar"),
      ...(backend && { backend }),
    },
  );
  const { seen } = decision;
  const { claimed, recomputed } = seen ?? decision;
  const location = locate(facts, decision.path);
  const place = placeOf(facts, positionOf(decision.path));
  return {
    outcome: "divergence",
    parties,
    runRoots,
    ...location,
    ...(seen && { element: unravel(seen.element, kernelAt(facts, place).type.shape) }),
    losers: decision.losers.map((side) => parties[side].id),
    decision,
    ...(claimed && { claimed }),
    ...(recomputed && { recomputed }),
    ...(recomputed?.length === 4 && { dtype: kernelAt(facts, place).type.dtype }),
    reasons: bothSides((side) => withCause(decision.reasons?.[side], memories[side].failure())),
    figures,
    runSteps: countJobSteps(outline),
    verdict: makeVerdict(outline, commitEvery, runRoots, decision),
  };
}

function withCause(reason: string | undefined, cause: string | undefined): string | undefined {
  return reason && cause ? `${reason} (${cause})` : reason;
}

/** @throws {DisputeError} that names the part that differs */
export function checkComparable(a: FinishedTrace, b: FinishedTrace): void {
  if (!bytesEqual(a.manifest.jobId, b.manifest.jobId)) {
    const part = differentPart(a.manifest.outline, b.manifest.outline);
    throw new DisputeError(
      "JOB",
      `${a.path} and ${b.path} are runs of different jobs: ${part}; a dispute is about one job, so run one of them again with the same module, options, data and seed`,
      { part },
    );
  }
  const [every, other] = [a.manifest.commitEvery, b.manifest.commitEvery];
  if (every !== other)
    throw new DisputeError(
      "INTERVAL",
      `${a.path} commits every ${every} training steps, but ${b.path} every ${other}; run one of them again with the other's --commit-every`,
      { commitEvery: [every, other] },
    );
}

function differentPart(a: JobOutline, b: JobOutline): string {
  if (a.name !== b.name) return `one is named ${a.name}, the other ${b.name}`;
  if (a.steps !== b.steps) return `one has ${a.steps} steps, the other ${b.steps}`;
  const data = a.datasetRoots.findIndex((root, i) => !b.datasetRoots[i] || !bytesEqual(root, b.datasetRoots[i]));
  if (!bytesEqual(graphRoot(a.step), graphRoot(b.step)))
    return "their step graphs differ (model, optimizer or options)";
  if (data >= 0) return `the dataset's tensor ${a.step.inputs[a.step.outputs.length + data].name} differs`;
  return isSameInit(a, b) ? "their units differ" : "they start from different initial states (seed or checkpoint)";
}

function isSameInit({ init: a }: JobOutline, { init: b }: JobOutline): boolean {
  if (a.kind === "graph") return b.kind === "graph" && bytesEqual(graphRoot(a.graph), graphRoot(b.graph));
  return b.kind === "checkpoint" && bytesEqual(a.root, b.root);
}
