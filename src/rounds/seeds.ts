/**
 * Where the seeds of a round come from (spec 6.10): the plan, or the record of the rounds before it. By the
 * latter nobody can compute them before these rounds are performed, nor before a beacon's value is published
 * if the plan names a beacon.
 */
import { isSignedBy } from "../claims/signature.ts";
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import { taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import { RoundsError } from "../errors/index.ts";
import { beaconRound, type BeaconValue, isValueOf, randomnessOf } from "./beacon.ts";
import type { RecordMark } from "./log-entry.ts";
import type { Plan } from "./plan.ts";
import { type Instance, recordDigest } from "./statement.ts";

/** What the seeds of a record follow from. */
interface Signed {
  readonly plan: Plan;
  readonly instance: Instance;
  readonly marks: readonly RecordMark[];
  /** By the plan's rounds. */
  readonly beacons: ReadonlyMap<number, BeaconValue>;
}

/** What a participant is given for the seeds of a round. */
export interface SeedParts {
  /** What the recorder has signed of the rounds before. */
  readonly marks: readonly RecordMark[];
  readonly beacon?: BeaconValue;
}

/** Whether a plan's seeds follow from the record. */
export const areFromRecord = ({ seeds }: Pick<Plan, "seeds">): boolean => seeds === "record";

/** Whether the recorder has signed a mark, in this instance. */
export const isMarked = (instance: Instance, { rounds, root, signature }: RecordMark): boolean =>
  isSignedBy(instance.recorder, recordDigest(instance, rounds, root), signature);

/** Whether two marks say the same of as many rounds. */
export const sameMark = (a: RecordMark, b: RecordMark): boolean => a.rounds === b.rounds && bytesEqual(a.root, b.root);

/** Whether the seeds of a round need a mark of the record. */
export const needsMark = (plan: Pick<Plan, "seeds">, round: number): boolean => areFromRecord(plan) && round > 0;

/** The marks of so many rounds that a record has, whether or not the recorder has signed them. */
export const marksOf = ({ marks }: Pick<Signed, "marks">, rounds: number): RecordMark[] =>
  marks.filter((mark) => mark.rounds === rounds);

/** The first mark of the rounds before a round that the recorder has signed. */
export const markBefore = (record: Signed, round: number): RecordMark | undefined =>
  marksOf(record, round).find((mark) => isMarked(record.instance, mark));

/**
 * The values of a log by their rounds, the first one for each. Nobody has checked them.
 * @throws {RoundsError} RECORD where the plan needs none
 */
export function beaconsBy({ beacon, rounds }: Plan, values: readonly BeaconValue[], folder: string) {
  const found = new Map<number, BeaconValue>();
  for (const value of values) {
    const { round } = value;
    if (!beacon || round < 1 || round > rounds)
      throw new RoundsError("RECORD", `${folder} has a value of a beacon for round ${round}, for which the plan needs none; restore it`, { round }); // prettier-ignore
    if (!found.has(round)) found.set(round, value);
  }
  return found;
}

/** The beacon's value that a record has for a round, if it is the right one. */
export function valueFor({ plan, beacons }: Pick<Signed, "plan" | "beacons">, round: number): BeaconValue | undefined {
  const value = beacons.get(round);
  return plan.beacon && value && isValueOf(plan.beacon, value) ? value : undefined;
}

/** Whether a record lacks what the seeds of a round follow from. */
export const lacksSeeds = (record: Signed, round: number): boolean =>
  needsMark(record.plan, round) && !(markBefore(record, round) && (!record.plan.beacon || valueFor(record, round)));

/** What the seeds of a round follow from by a record, as a participant is given it. */
export function seedPartsOf(record: Signed, round: number): SeedParts {
  const beacon = record.beacons.get(round);
  return { marks: needsMark(record.plan, round) ? marksOf(record, round) : [], ...(beacon && { beacon }) };
}

/**
 * The 32 bytes from which the seeds of a round follow, where they follow from the record.
 * @param root of the record of all earlier rounds, 32 bytes; round 0 has none
 * @throws {RoundsError} UNAVAILABLE without the beacon's value, where the plan names a beacon
 */
export function originOf(record: Signed, round: number, root?: Bytes): Bytes {
  const { plan, instance } = record;
  const writer = new Writer().u32(round);
  if (root && round > 0) writer.bytes(root);
  if (plan.beacon && round > 0) {
    const value = valueFor(record, round);
    if (!value)
      throw new RoundsError("UNAVAILABLE", `the record has no value of its beacon's round ${beaconRound(plan.beacon, round)}, from which the seeds of round ${round} follow; run the plan further, or restore the record`, { round }); // prettier-ignore
    writer.bytes(randomnessOf(value));
  }
  return taggedHash(Tag.seedOrigin, instance.id, writer.finish());
}

/**
 * The 32 bytes from which the seeds of a round follow by a record. Nothing, where they follow from the plan.
 * @throws {RoundsError} UNAVAILABLE when the record has no mark of the rounds before it that the recorder
 *   has signed, or no value of the plan's beacon
 */
export function originIn(record: Signed, round: number): Bytes | undefined {
  if (!areFromRecord(record.plan)) return undefined;
  if (round === 0) return originOf(record, 0);
  const mark = markBefore(record, round);
  if (mark) return originOf(record, round, mark.root);
  throw new RoundsError("UNAVAILABLE", `the record has no signature of the recorder over the rounds before round ${round}, from which its seeds follow; run the plan further, or restore the record`, { round }); // prettier-ignore
}
