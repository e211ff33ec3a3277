/** What a leaf's owner shows as its excuse: signed leaves and rolls from which its job follows (7.14). */
import { bytesEqual } from "../encoding/bytes.ts";
import { deriveJob, type LeafPlace, type Plan } from "./plan.ts";
import type { RecordMark } from "./log-entry.ts";
import type { ShownNote } from "./leaf-note.ts";
import type { RoundsRecord } from "./record.ts";
import { chosenBy, isRecorders, type Roll, Rolls } from "./roll.ts";
import { areFromRecord, isMarked, markBefore, needsMark, originOf } from "./seeds.ts";
import { isOwners, type Statement } from "./statement.ts";

/** What a leaf's owner shows that it has read. */
export interface ShownReads {
  readonly statements: readonly Statement[];
  readonly rolls: readonly Roll[];
  /** By which its seeds are right, where they follow from the record. */
  readonly mark?: RecordMark;
}

/**
 * The signed statements that a leaf's owner shows as its sources, and the signed rolls that chose them, if
 * its job follows from them. So for the recorder's signature from which its seeds follow. Rolls that it
 * does not show are those of the record, and so is the signature.
 */
export async function shownReads(record: RoundsRecord, statement: Statement): Promise<ShownReads | undefined> {
  for (const note of await record.shown(statement)) {
    const shown = excuseIn(record, statement, note);
    if (shown) return shown;
  }
  return undefined;
}

function excuseIn(
  record: RoundsRecord,
  statement: Statement,
  { read, rolls = [], mark: own }: ShownNote,
): ShownReads | undefined {
  const { plan, instance } = record;
  // Anything may be in a file that a party has written.
  try {
    if (!rolls.every((roll) => areMembers(plan, roll) && isRecorders(instance, roll))) return undefined;
    const shown = new Rolls();
    for (const roll of rolls) shown.admit(roll);
    const { places, present, asked } = chosenBy(plan, statement, (turn) => shown.at(turn) ?? record.roll(turn));
    if (!areShown(read, places) || !read.every((each) => isOwners(plan, instance, each))) return undefined;
    const ends = read.map(({ end }) => end);
    const mark = needsMark(plan, statement.round) ? (own ?? markBefore(record, statement.round)) : undefined;
    if (mark && !(mark.rounds === statement.round && isMarked(instance, mark))) return undefined;
    const origin = areFromRecord(plan) ? originOf(record, statement.round, mark?.root) : undefined;
    if (!bytesEqual(deriveJob(plan, statement, ends, present, origin), statement.job)) return undefined;
    return { statements: read, rolls: asked, ...(mark && { mark }) };
  } catch {
    return undefined;
  }
}

const areMembers = ({ turns }: Plan, { turn, present }: Roll): boolean =>
  present.length === turns[turn].members && present.every((each) => typeof each === "boolean");

function areShown(read: unknown, places: readonly LeafPlace[]): read is readonly Statement[] {
  const isAt = ({ round, seat }: Statement, i: number): boolean => round === places[i].round && seat === places[i].seat;
  return Array.isArray(read) && read.length === places.length && (read as Statement[]).every(isAt);
}
