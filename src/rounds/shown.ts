/** What a leaf's owner shows as its excuse: signed leaves and rolls from which its job follows (7.14). */
import { bytesEqual } from "../encoding/bytes.ts";
import { deriveJob, type LeafPlace, type Plan } from "./plan.ts";
import type { LeafNote } from "./leaf-note.ts";
import type { RoundsRecord } from "./record.ts";
import { chosenBy, isRecorders, type Roll, Rolls } from "./roll.ts";
import { isOwners, type Statement } from "./statement.ts";

/** What a leaf's owner shows that it has read. */
interface ShownReads {
  readonly statements: readonly Statement[];
  readonly rolls: readonly Roll[];
}

/**
 * The signed statements that a leaf's owner shows as its sources, and the signed rolls that chose them, if
 * its job follows from them. Rolls that it does not show are those of the record.
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
  { read, rolls = [] }: Pick<LeafNote, "read" | "rolls">,
): ShownReads | undefined {
  const { plan, instance } = record;
  // Anything may be in a file that a party has written.
  try {
    if (!rolls.every((roll) => areMembers(plan, roll) && isRecorders(instance, roll))) return undefined;
    const own = new Rolls();
    for (const roll of rolls) own.admit(roll);
    const { places, present, asked } = chosenBy(plan, statement, (turn) => own.at(turn) ?? record.roll(turn));
    if (!areShown(read, places) || !read.every((each) => isOwners(plan, instance, each))) return undefined;
    const ends = read.map(({ end }) => end);
    if (!bytesEqual(deriveJob(plan, statement, ends, present), statement.job)) return undefined;
    return { statements: read, rolls: asked };
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
