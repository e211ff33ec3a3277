/**
 * Audits a record without an opponent: it executes leaves again, and names everybody who is to blame (spec
 * 7.14).
 */
import { openBackend } from "../certify/open-backend.ts";
import { bytesEqual } from "../encoding/bytes.ts";
import { messageOf, VerdeError } from "../errors/index.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { blameStorage, blameStores } from "./blame-stores.ts";
import { type Blame, blameComputation, blameForm, blameRoll, contradict, ownerOf } from "./judge.ts";
import { LeafRunner } from "./leaf.ts";
import { recordClaim } from "./machine.ts";
import { type LeafPlace, seatName } from "./plan.ts";
import type { RoundsRecord } from "./record.ts";
import { isRecorders, sameRoll, type TurnPlace } from "./roll.ts";
import { isMarked } from "./seeds.ts";
import { isOwners, type Statement } from "./statement.ts";

/** How a record is audited. */
export interface RecordAuditOptions {
  /** Executes leaves: a backend, or its name; default `wasm`. */
  backend?: Backend | string;
  /** The rounds to audit; default all, with round 0. */
  from?: number;
  to?: number;
  /** Called before each leaf. */
  onLeaf?(place: LeafPlace, name: string): void;
}

/** Somebody who is to blame, and for which leaf. */
export interface Liar extends Blame, LeafPlace {
  /** `local-2`; for what the recorder has signed, the turn of a roll, or `record`. */
  readonly name: string;
}

/** The result of an audit. */
export interface RecordAudit {
  /** How many leaves there were, and how many were executed again. */
  readonly leaves: number;
  readonly executed: number;
  readonly liars: readonly Liar[];
  /** Leaves about which nothing can be said: what they read is not at hand, or judging them has failed. */
  readonly unavailable: readonly (LeafPlace & { readonly name: string; readonly why: string })[];
}

/**
 * Audits a record. A leaf is judged against the recorded leaves that it reads, so one lie is found once:
 * those who built on it are not to blame.
 */
export async function auditRecord(record: RoundsRecord, options: RecordAuditOptions = {}): Promise<RecordAudit> {
  const { from = 0, to = record.plan.rounds } = options;
  const runner = new LeafRunner((await openBackend(options.backend ?? DEFAULT)).backend);
  const liars: Liar[] = [];
  const unavailable: { round: number; seat: number; name: string; why: string }[] = [];
  let [leaves, executed] = [0, 0];
  try {
    for (const statement of inOrder(record.all)) {
      const { round, seat } = statement;
      // Where a roll says that the member was away, its leaf is not in the record, and nobody reads it.
      if (round < from || round > to || record.isAbsent(statement)) continue;
      const name = seatName(record.plan, seat);
      options.onLeaf?.(statement, name);
      leaves++;
      try {
        let blame = await blameForm(record, statement);
        if (!blame) {
          blame = await blameComputation(record, statement, runner);
          executed++;
        }
        if (blame) liars.push({ ...blame, round, seat, name });
      } catch (error) {
        // One leaf that can't be judged does not keep the others from it.
        if (!(error instanceof VerdeError)) throw error;
        unavailable.push({ round, seat, name, why: messageOf(error) });
      }
    }
  } finally {
    await runner.close();
  }
  const recorder = [...wrongRolls(record, from, to), ...wrongMarks(record)];
  const stores = wrongStorage(record, from, to);
  return { leaves, executed, liars: [...liars, ...contradictions(record), ...recorder, ...stores], unavailable };
}

const inOrder = (statements: readonly Statement[]): Statement[] =>
  [...statements].sort((a, b) => a.round - b.round || a.seat - b.seat);

/** Places for which one key has signed two statements. */
function contradictions(record: RoundsRecord): Liar[] {
  const { plan, instance } = record;
  return record.second.flatMap((second) => {
    const first = record.at(second)!;
    const both = [first, second].every((each) => isOwners(plan, instance, each));
    if (!both || !contradict(plan, first, second)) return [];
    const { round, seat } = second;
    return [
      { round, seat, name: seatName(plan, seat), participant: ownerOf(plan, second), reason: "equivocation" as const },
    ];
  });
}

/** Rolls that are not what they have to be, and turns for which the recorder has signed two. */
function wrongRolls(record: RoundsRecord, from: number, to: number): Liar[] {
  const { plan, instance, rolls } = record;
  const liar = (place: TurnPlace, blame: Blame): Liar => ({
    ...blame,
    round: place.round,
    seat: plan.seats.findIndex(({ turn }) => turn === place.turn),
    name: plan.turns[place.turn].name,
  });
  const wrong: Liar[] = [];
  for (let round = from; round <= to; round++)
    for (const turn of plan.turns.keys()) {
      const blame = blameRoll(record, { round, turn });
      if (blame) wrong.push(liar({ round, turn }, blame));
    }
  for (const second of rolls.second) {
    const first = rolls.at(second)!;
    if (!sameRoll(first, second) && [first, second].every((each) => isRecorders(instance, each)))
      wrong.push(liar(second, { participant: "recorder", reason: "equivocation" }));
  }
  return wrong;
}

/** Places about which the record lacks what stores have to sign, and stores that have signed twice. */
function wrongStorage(record: RoundsRecord, from: number, to: number): Liar[] {
  const { plan } = record;
  const wrong: Liar[] = [];
  for (let round = from; round <= to; round++)
    for (const seat of plan.seats.keys()) {
      const blame = blameStorage(record, { round, seat });
      if (blame) wrong.push({ ...blame, round, seat, name: seatName(plan, seat) });
    }
  const second = blameStores([record]).filter(({ round }) => round >= from && round <= to);
  return [...wrong, ...second.map((blame) => ({ ...blame, name: seatName(plan, blame.seat) }))];
}

/** What the recorder signed about other lists than the record's. */
function wrongMarks(record: RoundsRecord): Liar[] {
  const { instance, marks, complete } = record;
  return marks.flatMap((mark) => {
    const { rounds, root } = mark;
    if (!isMarked(instance, mark) || rounds > complete || bytesEqual(root, recordClaim(record, rounds))) return [];
    return [{ round: rounds - 1, seat: 0, name: "record", participant: "recorder", reason: "record" as const }];
  });
}
