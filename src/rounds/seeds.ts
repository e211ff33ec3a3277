/**
 * Where the seeds of a round come from (spec 6.10): the plan, or the record of the rounds before it. By the
 * latter nobody can compute them before these rounds are performed.
 */
import { isSignedBy } from "../claims/signature.ts";
import { type Bytes, bytesEqual, Writer } from "../encoding/bytes.ts";
import { taggedHash } from "../encoding/hash.ts";
import { Tag } from "../encoding/tags.ts";
import { RoundsError } from "../errors/index.ts";
import type { RecordMark } from "./log.ts";
import type { Plan } from "./plan.ts";
import { type Instance, recordDigest } from "./statement.ts";

/** What the seeds of a record follow from. */
interface Signed {
  readonly plan: Plan;
  readonly instance: Instance;
  readonly marks: readonly RecordMark[];
}

/** Whether a plan's seeds follow from the record. */
export const areFromRecord = ({ seeds }: Pick<Plan, "seeds">): boolean => seeds === "record";

/** Whether the recorder has signed a mark, in this instance. */
export const isMarked = (instance: Instance, { rounds, root, signature }: RecordMark): boolean =>
  isSignedBy(instance.recorder, recordDigest(instance, rounds, root), signature);

/** Whether two marks say the same of as many rounds. */
export const sameMark = (a: RecordMark, b: RecordMark): boolean => a.rounds === b.rounds && bytesEqual(a.root, b.root);

/**
 * The 32 bytes from which the seeds of a round follow, where they follow from the record.
 * @param root of the record of all earlier rounds, 32 bytes; round 0 has none
 */
export function originOf({ id }: Pick<Instance, "id">, round: number, root?: Bytes): Bytes {
  const writer = new Writer().u32(round);
  return taggedHash(Tag.seedOrigin, id, (root ? writer.bytes(root) : writer).finish());
}

/** Whether the seeds of a round need a mark of the record. */
export const needsMark = (plan: Pick<Plan, "seeds">, round: number): boolean => areFromRecord(plan) && round > 0;

/** The marks of so many rounds that a record has, whether or not the recorder has signed them. */
export const marksOf = ({ marks }: Pick<Signed, "marks">, rounds: number): RecordMark[] =>
  marks.filter((mark) => mark.rounds === rounds);

/** The first mark of the rounds before a round that the recorder has signed. */
export const markBefore = (record: Signed, round: number): RecordMark | undefined =>
  marksOf(record, round).find((mark) => isMarked(record.instance, mark));

/**
 * The 32 bytes from which the seeds of a round follow by a record. Nothing, where they follow from the plan.
 * @throws {RoundsError} UNAVAILABLE when the record has no mark of the rounds before it that the recorder
 *   has signed
 */
export function originIn(record: Signed, round: number): Bytes | undefined {
  const { plan, instance } = record;
  if (!areFromRecord(plan)) return undefined;
  if (round === 0) return originOf(instance, 0);
  const mark = markBefore(record, round);
  if (mark) return originOf(instance, round, mark.root);
  throw new RoundsError("UNAVAILABLE", `the record has no signature of the recorder over the rounds before round ${round}, from which its seeds follow; run the plan further, or restore the record`, { round }); // prettier-ignore
}
