/**
 * Compares two records of one plan, and finds who is wrong at the first leaf in which they differ (spec
 * 7.14).
 */
import { openBackend } from "../certify/open-backend.ts";
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { RoundsError } from "../errors/index.ts";
import { bothSides, type Pair, positionOf, SIDES } from "../game/level.ts";
import { newTally, play } from "../game/play.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { blameStores, blameTurnStorage } from "./blame-stores.ts";
import {
  type Blame,
  blameComputation,
  blameForm,
  blameMark,
  blameRoll,
  contradict,
  disputeLeaf,
  ownerOf,
  partiesOf,
  statesRead,
} from "./judge.ts";
import { LeafRunner } from "./leaf.ts";
import { planMachine, recordClaim, recordProver } from "./machine.ts";
import { type LeafPlace, seatName } from "./plan.ts";
import type { RoundsRecord } from "./record.ts";
import { isRecorders, sameRoll, turnOf } from "./roll.ts";
import { areFromRecord, markBefore, needsMark, originIn, sameMark } from "./seeds.ts";
import { isOwners, type Statement } from "./statement.ts";

/** How records are disputed. */
export interface RecordDisputeOptions {
  /** Replays leaves: a backend, or its name; default `wasm`. */
  backend?: Backend | string;
}

/** What was asked on the way. */
export interface RecordFigures {
  /** Questions until the leaf was found, and then below it. */
  readonly questions: { readonly record: number; readonly leaf: number };
  /** Bytes of all answers. */
  readonly bytes: number;
  /** Scalar steps that the referee executed. */
  readonly scalarSteps: number;
}

/** A party that loses, and in which record: 0, 1, or in none where both together show it. */
export interface RecordBlame extends Blame {
  readonly record: 0 | 1 | undefined;
}

/** Two records that say the same, as far as both go. */
export interface RecordAgreement {
  readonly outcome: "agree";
  readonly rounds: number;
}

/** The first leaf in which two records differ, and who is to blame for it. */
export interface RecordDivergence extends LeafPlace {
  readonly outcome: "divergence";
  /** `local-2` */
  readonly name: string;
  /** The records whose leaf is wrong. */
  readonly losers: readonly (0 | 1)[];
  /** The first is the one that counts where a single answer is wanted. */
  readonly blames: readonly RecordBlame[];
  /**
   * The records by which the member was away here, where one says so and the other does not. Performances may
   * differ in that, and nobody be to blame: then there are no losers.
   */
  readonly absent: readonly (0 | 1)[];
  readonly figures: RecordFigures;
}

/** Two performances of a plan whose seeds follow from the record: each leaf has another job in the other. */
export interface RecordUndecided {
  readonly outcome: "undecided";
  /** Why, and what to do, in words. */
  readonly why: string;
}

/** What `disputeRecords` finds. */
export type RecordDispute = RecordAgreement | RecordDivergence | RecordUndecided;

/**
 * Finds the first leaf in which two records differ, and judges both against the leaves that they read: those
 * are the same in both.
 * @throws {RoundsError} when they are not of one plan, or have no whole round
 */
export async function disputeRecords(
  a: RoundsRecord,
  b: RoundsRecord,
  options: RecordDisputeOptions = {},
): Promise<RecordDispute> {
  const records = [a, b] as const;
  if (!bytesEqual(a.plan.id, b.plan.id))
    throw new RoundsError("FOREIGN", `${a.folder} is of the plan ${toHex(a.plan.id)}, and ${b.folder} of ${toHex(b.plan.id)}; name records of one plan`); // prettier-ignore
  if (areFromRecord(a.plan) && !bytesEqual(a.instance.id, b.instance.id))
    return {
      outcome: "undecided",
      why: `${a.folder} and ${b.folder} are two performances of ${a.plan.name}, whose seeds follow from the record: their jobs differ, so they can't be compared leaf by leaf; audit each of them (\`verde rounds audit\`)`,
    };
  const rounds = Math.min(a.complete, b.complete);
  if (rounds === 0)
    throw new RoundsError("RECORD", `${a.folder} and ${b.folder} have no whole round in common; run the plan further`);
  const claims = bothSides((side) => recordClaim(records[side], rounds));
  if (bytesEqual(...claims)) return { outcome: "agree", rounds };
  const tally = newTally();
  const provers = bothSides((side) => recordProver(records[side], rounds));
  const end = await play(planMachine(a.plan, rounds), provers, claims, tally);
  const [round, seat] = positionOf(end.path).map(({ index }) => index);
  const place = { round, seat };
  const statements = bothSides((side) => (records[side].isAbsent(place) ? undefined : records[side].at(place)!));
  const runner = new LeafRunner((await openBackend(options.backend ?? DEFAULT)).backend);
  try {
    const judged = await judgeBoth(records, place, statements, runner);
    return {
      outcome: "divergence",
      ...place,
      name: seatName(a.plan, seat),
      losers: SIDES.filter((side) => judged.blames.some(({ record }) => record === side)),
      blames: judged.blames,
      absent: SIDES.filter((side) => !statements[side]),
      figures: {
        questions: { record: tally.rounds, leaf: judged.questions },
        bytes: tally.bytes + judged.bytes,
        scalarSteps: judged.scalarSteps,
      },
    };
  } finally {
    await runner.close();
  }
}

interface Judged {
  blames: RecordBlame[];
  questions: number;
  bytes: number;
  scalarSteps: number;
}

async function judgeBoth(
  records: Pair<RoundsRecord>,
  place: LeafPlace,
  statements: Pair<Statement | undefined>,
  runner: LeafRunner,
): Promise<Judged> {
  const [a, b] = records;
  const { plan } = a;
  const turn = turnOf(plan, place);
  const formOf = async (side: 0 | 1) => {
    const [record, statement] = [records[side], statements[side]];
    return (
      blameRoll(record, turn) ?? blameTurnStorage(record, place) ?? blameMark(record, place.round) ?? (statement && (await blameForm(record, statement))) // prettier-ignore
    );
  };
  const forms = [await formOf(0), await formOf(1)] as const;
  const judged: Judged = { blames: [], questions: 0, bytes: 0, scalarSteps: 0 };
  for (const side of SIDES) if (forms[side]) judged.blames.push({ ...forms[side], record: side });
  const [first, second] = statements;
  const standing = SIDES.filter((side) => !forms[side] && statements[side]);
  await atHand(async () => {
    if (standing.length === 2) await arbitrated(records, [first!, second!], runner, judged);
    else for (const side of standing) await replayed(records, statements[side]!, side, runner, judged);
  });
  const isOne = bytesEqual(a.instance.id, b.instance.id);
  for (const those of isOne ? [records] : [[a], [b]])
    for (const { participant, reason } of blameStores(those, place))
      judged.blames.push({ participant, reason, record: isOne ? undefined : those[0] === a ? 0 : 1 });
  if (!isOne) return judged;
  const both = first && second && [first, second].every((each) => isOwners(plan, a.instance, each));
  if (both && contradict(plan, first, second))
    judged.blames.push({ participant: ownerOf(plan, first), reason: "equivocation", record: undefined });
  const rolls = bothSides((side) => records[side].rolls.at(turn));
  const rolled = rolls[0] && rolls[1] && rolls.every((each) => isRecorders(a.instance, each!));
  if (rolled && !sameRoll(rolls[0]!, rolls[1]!))
    judged.blames.push({ participant: "recorder", reason: "equivocation", record: undefined });
  const marks = bothSides((side) => (needsMark(plan, place.round) ? markBefore(records[side], place.round) : undefined)); // prettier-ignore
  const isKnown = judged.blames.some(({ participant, record }) => participant === "recorder" && record === undefined);
  if (marks[0] && marks[1] && !sameMark(marks[0], marks[1]) && !isKnown)
    judged.blames.push({ participant: "recorder", reason: "equivocation", record: undefined });
  return judged;
}

/** Both leaves have the right job: the ordinary dispute decides. If a party can't answer, a replay does. */
async function arbitrated(
  records: Pair<RoundsRecord>,
  statements: Pair<Statement>,
  runner: LeafRunner,
  judged: Judged,
): Promise<void> {
  const { plan } = records[0];
  const [place] = statements;
  const sources = await statesRead(records[0], place).catch(() => statesRead(records[1], place));
  const parties = await partiesOf(records, place, { claims: statements, sources, runner });
  const found = await disputeLeaf(plan, place, { sources, origin: originIn(records[0], place.round), parties, runner });
  if (!found) {
    for (const side of SIDES) await replayed(records, statements[side], side, runner, judged);
    return;
  }
  const { losers, location, reason, claimed, recomputed, figures } = found;
  for (const side of losers)
    judged.blames.push({
      participant: ownerOf(plan, place),
      reason,
      record: side,
      location,
      ...(claimed && { claimed: claimed[side] }),
      ...(recomputed && { recomputed }),
    });
  judged.questions += figures.rounds;
  judged.bytes += figures.bytes;
  judged.scalarSteps += figures.scalarSteps;
}

/** Executes one side's leaf again. */
async function replayed(
  records: Pair<RoundsRecord>,
  statement: Statement,
  side: 0 | 1,
  runner: LeafRunner,
  judged: Judged,
): Promise<void> {
  const blame = await blameComputation(records[side], statement, runner);
  if (blame) judged.blames.push({ ...blame, record: side });
}

/** Where what both have read is not at hand, nobody is named. */
async function atHand(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof RoundsError) || error.code !== "VERDE_ROUNDS_UNAVAILABLE") throw error;
  }
}
