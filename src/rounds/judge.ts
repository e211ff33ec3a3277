/** Judges one leaf against the recorded leaves that it reads (spec 7.14). */
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { VerdeError } from "../errors/index.ts";
import type { Pair } from "../game/level.ts";
import { bothSides, positionOf } from "../game/level.ts";
import { type Decision, type Location, locate } from "../referee/decision.ts";
import { jobFacts } from "../referee/facts.ts";
import { trainingProver } from "../referee/claim.ts";
import { arbitrate, type Figures } from "../referee/referee.ts";
import { checkFault, type LeafFault } from "./fault.ts";
import { jobOfLeaf, type LeafRunner, sameClaim, type SourceState } from "./leaf.ts";
import {
  deriveJob,
  type LeafClaim,
  type LeafPlace,
  leafRoot,
  type Plan,
  segmentOf,
  sourcesOf,
  templateOf,
} from "./plan.ts";
import type { RoundsRecord } from "./record.ts";
import { isOwners, runOf, type Statement } from "./statement.ts";

/**
 * Why somebody loses. `unsigned`: the recorder lists a leaf that its owner has not signed. `inputs`: the
 * leaf's job does not follow from the plan and the leaves that it reads. `equivocation`: two statements for
 * one place. `operator`: a step computes another value. `message`: the state that is handed on is not what
 * the last step gave. `record`: the recorder's signature is about another list.
 */
export type Reason = "unsigned" | "inputs" | "equivocation" | "operator" | "message" | "record";

/** What was found about one party. */
export interface Blame {
  /** The participant that loses, or `recorder`. */
  readonly participant: string;
  readonly reason: Reason;
  /** Where its run first differs from the right one, for `operator` and `message`. */
  readonly location?: Location;
  /** What it claims there, and what the referee's one step gives. */
  readonly claimed?: Bytes;
  readonly recomputed?: Bytes;
}

/** The name of the participant that owns a leaf. */
export const ownerOf = (plan: Plan, { seat }: LeafPlace): string =>
  plan.participants[plan.seats[seat].participant].name;

/** What can be said of a leaf without executing it: its signature, and its inputs. */
export async function blameForm(record: RoundsRecord, statement: Statement): Promise<Blame | undefined> {
  const { plan, instance } = record;
  if (!isOwners(plan, instance, statement)) return { participant: "recorder", reason: "unsigned" };
  const read = record.sources(statement);
  const right = deriveJob(
    plan,
    statement,
    read.map(({ end }) => end),
  );
  if (bytesEqual(right, statement.job)) return undefined;
  // A participant that built on what another had signed is not to blame for what the neighbour signed
  // elsewhere, nor for what the recorder lists in its place.
  const shown = await shownReads(record, statement);
  const i = shown?.findIndex((each, source) => !sameClaim(plan, each, each, read[source])) ?? -1;
  if (i >= 0 && !isOwners(plan, instance, read[i])) return { participant: "recorder", reason: "unsigned" };
  if (i >= 0) return { participant: ownerOf(plan, read[i]), reason: "equivocation" };
  return { participant: ownerOf(plan, statement), reason: "inputs" };
}

/**
 * The signed statements that a leaf's owner shows as its sources, each for the place that the plan names, if
 * its job follows from them.
 */
export async function shownReads(
  record: RoundsRecord,
  statement: Statement,
): Promise<readonly Statement[] | undefined> {
  const { plan, instance } = record;
  const { read } = await record.note(statement).catch(() => ({ read: undefined }));
  const places = sourcesOf(plan, statement);
  // Anything may be in a file that a party has written.
  try {
    if (!areShown(read, places) || !read.every((each) => isOwners(plan, instance, each))) return undefined;
    const ends = read.map(({ end }) => end);
    return bytesEqual(deriveJob(plan, statement, ends), statement.job) ? read : undefined;
  } catch {
    return undefined;
  }
}

function areShown(read: unknown, places: readonly LeafPlace[]): read is readonly Statement[] {
  const isAt = ({ round, seat }: Statement, i: number): boolean => round === places[i].round && seat === places[i].seat;
  return Array.isArray(read) && read.length === places.length && (read as Statement[]).every(isAt);
}

/** The fault that a record states for a leaf, if the leaf can have it. */
async function statedFault(record: RoundsRecord, place: LeafPlace): Promise<LeafFault | undefined> {
  try {
    const { fault } = await record.note(place);
    return fault && checkFault(record.plan, { ...place, fault }).fault;
  } catch {
    return undefined;
  }
}

/** The states that a leaf reads. @throws {RoundsError} when they are not at hand */
export async function statesRead(record: RoundsRecord, place: LeafPlace): Promise<SourceState[]> {
  const states: SourceState[] = [];
  for (const source of record.sources(place)) states.push(await record.state(source));
  return states;
}

/** One side of a dispute about a leaf. */
export interface LeafParty {
  readonly claim: LeafClaim;
  /** The fault that its own record states, with which its prover executes the leaf again. */
  readonly fault?: LeafFault;
}

/**
 * Both sides of a dispute about a leaf. Nobody has signed the fault that a record states, so it counts only
 * for a side that claims something else than the leaf's job gives: an honest prover executes without one.
 * @param claims the first record's, and the second's
 */
export async function partiesOf(
  records: Pair<RoundsRecord>,
  place: LeafPlace,
  { claims, sources, runner }: { claims: Pair<LeafClaim>; sources: readonly SourceState[]; runner: LeafRunner },
): Promise<Pair<LeafParty>> {
  const { plan } = records[0];
  const faults = [await statedFault(records[0], place), await statedFault(records[1], place)] as const;
  if (faults.every((fault) => !fault)) return bothSides((side) => ({ claim: claims[side] }));
  const right = await runner.run(plan, place, sources);
  return bothSides((side) => {
    const [claim, fault] = [claims[side], faults[side]];
    return fault && !sameClaim(plan, place, claim, right) ? { claim, fault } : { claim };
  });
}

/** The result of the ordinary dispute about a leaf. */
export interface LeafDispute {
  readonly losers: readonly (0 | 1)[];
  readonly location: Location;
  readonly kind: Decision["kind"];
  readonly reason: "operator" | "message";
  readonly claimed?: Pair<Bytes>;
  readonly recomputed?: Bytes;
  readonly figures: Figures;
}

/**
 * The ordinary dispute between two claims about a leaf with the right job, down to one step.
 * @returns nothing when a party could not answer
 */
export async function disputeLeaf(
  plan: Plan,
  place: LeafPlace,
  { sources, parties, runner }: { sources: readonly SourceState[]; parties: Pair<LeafParty>; runner: LeafRunner },
): Promise<LeafDispute | undefined> {
  const template = templateOf(plan, place);
  const { outline } = jobOfLeaf(plan, place, sources);
  const facts = jobFacts(outline, segmentOf(template));
  const open = (side: 0 | 1) => runner.memory(plan, place, sources, parties[side].claim, parties[side].fault);
  const memories = [await open(0), await open(1)] as const;
  try {
    const claims = bothSides((side) => ({ run: leafRoot(template, parties[side].claim) }));
    const provers = bothSides((side) => trainingProver(memories[side]));
    const { finding, figures } = await arbitrate(facts, provers, claims);
    if (finding.kind === "undecided") return undefined;
    const location = locate(facts, positionOf(finding.path));
    const { claimed, recomputed, losers, kind } = finding;
    const reason = kind === "state-update" && location.step === template.steps ? "message" : "operator";
    return { losers, location, kind, reason, ...(claimed && { claimed }), ...(recomputed && { recomputed }), figures };
  } finally {
    for (const memory of memories) await memory.close();
  }
}

/**
 * Executes a leaf again, and if it claims something else, plays the ordinary dispute against the result to
 * find where.
 */
export async function blameComputation(
  record: RoundsRecord,
  statement: Statement,
  runner: LeafRunner,
): Promise<Blame | undefined> {
  const { plan } = record;
  const sources = await statesRead(record, statement);
  const right = await runner.run(plan, statement, sources);
  if (sameClaim(plan, statement, right, statement)) return undefined;
  const blame: Blame = { participant: ownerOf(plan, statement), reason: "operator" };
  const fault = await statedFault(record, statement);
  const parties = [{ claim: right }, { claim: statement, ...(fault && { fault }) }] as const;
  // The execution has shown already that the leaf is wrong. A dispute that breaks off can't say where.
  const found = await disputeLeaf(plan, statement, { sources, parties, runner }).catch((error: unknown) => {
    if (error instanceof VerdeError) return undefined;
    throw error;
  });
  if (!found?.losers.includes(1)) return blame;
  const { location, reason, claimed, recomputed } = found;
  return { ...blame, reason, location, ...(claimed && { claimed: claimed[1] }), ...(recomputed && { recomputed }) };
}

/** Whether two statements are for one place, and say different things. */
export const contradict = (plan: Plan, a: Statement, b: Statement): boolean =>
  a.round === b.round && a.seat === b.seat && !bytesEqual(runOf(plan, a), runOf(plan, b));
