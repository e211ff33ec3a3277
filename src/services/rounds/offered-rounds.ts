/** The rounds of a log that somebody offers, and what it says against another log of the performance. */
import { type Bytes, bytesEqual } from "../../encoding/bytes.ts";
import type { SignedParts } from "../../rounds/evidence-log.ts";
import type { BeaconValue } from "../../rounds/beacon.ts";
import { contradict } from "../../rounds/judge.ts";
import type { LogEntry } from "../../rounds/log.ts";
import type { RecordMark } from "../../rounds/log-entry.ts";
import { roundRootIn } from "../../rounds/machine.ts";
import { type LeafPlace, seatName } from "../../rounds/plan.ts";
import type { StoreSentence } from "../../rounds/receipt.ts";
import type { RoundsRecord } from "../../rounds/record.ts";
import { isRecorders, isRolled, type Roll, sameRoll } from "../../rounds/roll.ts";
import { isMarked, valueFor } from "../../rounds/seeds.ts";
import { isOwners, recordRootOf, type Statement } from "../../rounds/statement.ts";
import type { Correspondent } from "./correspondent.ts";

/** Checks rounds one after the other, and adds them to a record in memory. */
export class OfferedRounds {
  /** The roots of the rounds that the record has. */
  private readonly roots: Bytes[];
  private readonly record: RoundsRecord;
  private readonly server: Correspondent;

  /** @param rounds how many the record has, with all their leaves */
  constructor(record: RoundsRecord, rounds: number, server: Correspondent) {
    this.record = record;
    this.roots = Array.from({ length: rounds }, (_, round) => roundRootIn(record, round));
    this.server = server;
  }

  /** How many there are. */
  get count(): number {
    return this.roots.length;
  }

  get isWhole(): boolean {
    return this.count > this.record.plan.rounds;
  }

  /**
   * Adds the next round. The recorder's signature makes its list the recorder's, whoever sends it. Whether
   * each leaf is signed by its owner is for those who check the record: if it is not, the recorder has
   * listed it.
   * @param entries of its log, the mark last
   * @throws {RoundsError} SERVER when they are not the list that the recorder has signed. Then the record in
   *   memory can't be used any more
   */
  add(entries: readonly LogEntry[], mark: RecordMark): void {
    const { record, server, count: round } = this;
    const { plan, instance } = record;
    if (mark.rounds !== round + 1 || !isMarked(instance, mark)) throw server.wrong(`sent round ${round} without the recorder's signature`); // prettier-ignore
    for (const { beacon, statement, roll, sentence } of entries) {
      if (beacon) this.beacon(beacon, round);
      if (statement) this.statement(statement, round);
      if (roll) this.roll(roll, round);
      if (sentence) this.sentence(sentence, round);
    }
    for (const [seat, { turn }] of plan.seats.entries()) {
      const hasRoll = !isRolled(plan, { round, turn }) || record.rolls.at({ round, turn }) !== undefined;
      const isThere = hasRoll && (record.isAbsent({ round, seat }) || record.at({ round, seat }) !== undefined);
      if (!isThere) throw server.wrong(`sent round ${round} without ${hasRoll ? "a leaf" : "the roll"} of ${seatName(plan, seat)}`); // prettier-ignore
    }
    this.roots.push(roundRootIn(record, round));
    if (!bytesEqual(mark.root, recordRootOf(plan.id, this.roots))) throw server.wrong(`sent another list of round ${round} than the recorder has signed`); // prettier-ignore
    record.marks.push(mark);
  }

  private beacon(value: BeaconValue, round: number): void {
    const { record, server } = this;
    const fits = record.plan.beacon !== undefined && value.round === round && !record.beacons.has(round);
    if (!fits) throw server.wrong(`sent a value of a beacon for round ${value.round} where round ${round} has no place for it`); // prettier-ignore
    record.beacons.set(round, value);
    if (!valueFor(record, round)) throw server.wrong(`sent another value of the beacon for round ${round} than its network has published`); // prettier-ignore
  }

  /** What the signature of a store is worth is for those who check the record. */
  private sentence(sentence: StoreSentence, round: number): void {
    const { record, server } = this;
    const { seats, storage } = record.plan;
    const fits = sentence.round === round && sentence.seat < seats.length && sentence.store < (storage?.members ?? 0);
    if (!fits) throw server.wrong(`sent what store ${sentence.store} has signed of seat ${sentence.seat} in round ${sentence.round} where round ${round} has no place for it`); // prettier-ignore
    record.sentences.admit(sentence);
  }

  private statement(statement: Statement, round: number): void {
    const { record, server } = this;
    const fits = statement.round === round && statement.seat < record.plan.seats.length && !record.at(statement);
    if (!fits) throw server.wrong(`sent a leaf of seat ${statement.seat} in round ${statement.round} where round ${round} has no place for it`); // prettier-ignore
    record.admit(statement);
  }

  private roll(roll: Roll, round: number): void {
    const { record, server } = this;
    if (roll.round !== round || !isRolled(record.plan, roll) || record.rolls.at(roll)) throw server.wrong(`sent a roll of turn ${roll.turn} in round ${roll.round} where round ${round} has no place for it`); // prettier-ignore
    record.rolls.admit(roll);
  }
}

/** What a record lists without the signature that it needs: leaves, and rolls by their turn's first seat. */
export function unsignedIn(record: RoundsRecord, round?: number): LeafPlace[] {
  const { plan, instance, all, rolls } = record;
  const isWanted = (place: { round: number }): boolean => round === undefined || place.round === round;
  const leaves = all.filter((each) => isWanted(each) && !isOwners(plan, instance, each));
  const closed = rolls.all.filter((each) => isWanted(each) && !isRecorders(instance, each));
  const turns = closed.map((each) => ({ round: each.round, seat: plan.seats.findIndex(({ turn }) => turn === each.turn) })); // prettier-ignore
  return [...leaves.map((leaf) => ({ round: leaf.round, seat: leaf.seat })), ...turns];
}

/**
 * What a log says against a record: statements, rolls and marks that are signed, and contradict what is
 * signed in the record. One for each place shows it, so more are left out: a key can sign as many as it
 * likes.
 */
export function contradictionsIn(record: RoundsRecord, entries: readonly LogEntry[]): SignedParts {
  const { plan, instance } = record;
  const parts = { statements: [] as Statement[], rolls: [] as Roll[], marks: [] as RecordMark[] };
  for (const { statement, roll, mark } of entries) {
    if (statement && isSecond(record, statement, parts.statements)) parts.statements.push(statement);
    if (roll && isSecondRoll(record, roll, parts.rolls)) parts.rolls.push(roll);
    if (!mark || !isMarked(instance, mark)) continue;
    const own = [...record.marks, ...parts.marks].filter(({ rounds }) => rounds === mark.rounds);
    const isNew = own.length === 1 && !bytesEqual(own[0].root, mark.root);
    if (isNew && mark.rounds <= plan.rounds + 1) parts.marks.push(mark);
  }
  return parts;
}

/** @param more that are found already */
function isSecond(record: RoundsRecord, statement: Statement, more: readonly Statement[]): boolean {
  const { plan, instance } = record;
  const own = record.at(statement);
  if (!own) return false;
  const shows = (each: Statement): boolean => contradict(plan, own, each) && isOwners(plan, instance, each);
  return isOwners(plan, instance, own) && shows(statement) && ![...record.second, ...more].some(shows);
}

/** @param more that are found already */
function isSecondRoll(record: RoundsRecord, roll: Roll, more: readonly Roll[]): boolean {
  const { instance, rolls } = record;
  const own = rolls.at(roll);
  if (!own) return false;
  const isOf = ({ round, turn }: Roll): boolean => round === roll.round && turn === roll.turn;
  const shows = (each: Roll): boolean => isOf(each) && !sameRoll(own, each) && isRecorders(instance, each);
  return isRecorders(instance, own) && shows(roll) && ![...rolls.second, ...more].some(shows);
}
