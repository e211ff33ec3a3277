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
import { recordClaim } from "./machine.ts";
import { deriveJob, type LeafClaim, type LeafPlace, leafRoot, type Plan, segmentOf, templateOf } from "./plan.ts";
import type { RoundsRecord } from "./record.ts";
import { hasQuorum, isRecorders, isRolled, type Reads, sameRoll, type TurnPlace } from "./roll.ts";
import { isMarked, lacksSeeds, markBefore, marksOf, needsMark, originIn, originOf, sameMark } from "./seeds.ts";
import { shownReads } from "./shown.ts";
import { isOwners, runOf, type Statement } from "./statement.ts";

/**
 * Why somebody loses. `unsigned`: the recorder lists a leaf that its owner has not signed, or a roll or a
 * mark that it has not signed itself. `inputs`: the leaf's job does not follow from the plan and the leaves
 * that it reads. `equivocation`: two statements for one place, two rolls for one turn, or two marks of as
 * many rounds. `operator`: a step computes another value. `message`: the state that is handed on is not what
 * the last step gave. `record`: the recorder's signature is about another list, or one is missing, or a
 * beacon's value, from which seeds follow. `roll`: a roll of the recorder is missing, has too few members, or
 * says something else than which leaves it lists. `receipts`: the recorder lists a leaf that too few stores
 * have signed to hold, or calls a member absent without notes of enough stores. A store that signs two
 * sentences for a place loses by `equivocation`.
 */
export type Reason = "unsigned" | "inputs" | "equivocation" | "operator" | "message" | "record" | "roll" | "receipts";

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

const RECORDER = (reason: Reason): Blame => ({ participant: "recorder", reason });

/** What can be said of the roll of a turn, beside the leaves that the record lists. */
export function blameRoll(record: RoundsRecord, place: TurnPlace): Blame | undefined {
  const { plan, instance } = record;
  const { round, turn } = place;
  if (!isRolled(plan, place)) return undefined;
  const roll = record.rolls.at(place);
  // While a turn is open it has no roll, and the record no more than some of its leaves.
  if (!roll) return record.marks.some((mark) => mark.rounds > round && isMarked(instance, mark)) ? RECORDER("roll") : undefined; // prettier-ignore
  if (!isRecorders(instance, roll)) return RECORDER("unsigned");
  const fits = plan.seats.every(
    (seat, i) => seat.turn !== turn || roll.present[seat.member] === (record.at({ round, seat: i }) !== undefined),
  );
  return fits && hasQuorum(plan, roll) ? undefined : RECORDER("roll");
}

/** What can be said of the signature from which the seeds of a round follow, beside the record's leaves. */
export function blameMark(record: RoundsRecord, round: number): Blame | undefined {
  if (!needsMark(record.plan, round)) return undefined;
  const mark = markBefore(record, round);
  if (!mark) return RECORDER(marksOf(record, round).length > 0 ? "unsigned" : "record");
  if (lacksSeeds(record, round)) return RECORDER("record");
  return record.complete < round || bytesEqual(mark.root, recordClaim(record, round)) ? undefined : RECORDER("record");
}

/** What a leaf has to read by its record. Nothing, if a roll is missing that must be there. */
function listed(record: RoundsRecord, place: LeafPlace): Reads | undefined {
  try {
    return record.reads(place);
  } catch {
    return undefined;
  }
}

/** What can be said of a leaf without executing it: its signature, and its inputs. */
export async function blameForm(record: RoundsRecord, statement: Statement): Promise<Blame | undefined> {
  const { plan, instance } = record;
  if (!isOwners(plan, instance, statement)) return RECORDER("unsigned");
  const reads = listed(record, statement);
  // No leaf is admitted before the turns that it reads are closed.
  if (!reads) return RECORDER("roll");
  const read = record.statements(reads.places);
  const ends = read.map(({ end }) => end);
  // Nor before the recorder has signed the rounds from which its seeds follow.
  const isNeeded = needsMark(plan, statement.round);
  const own = isNeeded ? markBefore(record, statement.round) : undefined;
  if (lacksSeeds(record, statement.round)) return blameMark(record, statement.round);
  const origin = originIn(record, statement.round);
  if (bytesEqual(deriveJob(plan, statement, ends, reads.present, origin), statement.job)) return undefined;
  // A participant that built on what others had signed is not to blame for what the neighbour or the recorder
  // signed elsewhere, nor for what the recorder lists in its place.
  const shown = await shownReads(record, statement);
  for (const roll of shown?.rolls ?? []) {
    const listedRoll = record.rolls.at(roll);
    if (!listedRoll) return RECORDER("roll");
    if (!sameRoll(listedRoll, roll)) return RECORDER(isRecorders(instance, listedRoll) ? "equivocation" : "unsigned");
  }
  if (own && shown?.mark && !sameMark(own, shown.mark)) return RECORDER("equivocation");
  // The seeds are those of the leaves that the record lists, and the recorder has signed another list.
  const byList = isNeeded && record.complete >= statement.round ? originOf(record, statement.round, recordClaim(record, statement.round)) : origin; // prettier-ignore
  if (bytesEqual(deriveJob(plan, statement, ends, reads.present, byList), statement.job)) return RECORDER("record");
  const i = shown?.statements.findIndex((each, source) => !sameClaim(plan, each, each, read[source])) ?? -1;
  if (i >= 0 && !isOwners(plan, instance, read[i])) return RECORDER("unsigned");
  if (i >= 0) return { participant: ownerOf(plan, read[i]), reason: "equivocation" };
  return { participant: ownerOf(plan, statement), reason: "inputs" };
}

/** The fault that a record states for a leaf, if the leaf can have it. */
export async function statedFault(record: RoundsRecord, place: LeafPlace): Promise<LeafFault | undefined> {
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
  const { places, present } = record.reads(place);
  for (const [i, source] of record.statements(places).entries())
    states.push({ ...(await record.state(source)), absent: present[i] === 0 });
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
  const right = await runner.run(plan, place, sources, { origin: originIn(records[0], place.round) });
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
  { sources, origin, parties, runner }: { sources: readonly SourceState[]; origin: Bytes | undefined; parties: Pair<LeafParty>; runner: LeafRunner }, // prettier-ignore
): Promise<LeafDispute | undefined> {
  const template = templateOf(plan, place);
  const { outline } = jobOfLeaf(plan, place, sources, origin);
  const facts = jobFacts(outline, segmentOf(template));
  const open = (side: 0 | 1) => runner.memory(plan, place, sources, parties[side].claim, parties[side].fault, origin);
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
  const origin = originIn(record, statement.round);
  const right = await runner.run(plan, statement, sources, { origin });
  if (sameClaim(plan, statement, right, statement)) return undefined;
  const blame: Blame = { participant: ownerOf(plan, statement), reason: "operator" };
  const fault = await statedFault(record, statement);
  const parties = [{ claim: right }, { claim: statement, ...(fault && { fault }) }] as const;
  // The execution has shown already that the leaf is wrong. A dispute that breaks off can't say where.
  const found = await disputeLeaf(plan, statement, { sources, origin, parties, runner }).catch((error: unknown) => {
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
