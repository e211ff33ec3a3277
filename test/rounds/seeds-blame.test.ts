/** Who loses about seeds that follow from the record: each lie of a mark or of who reads it is named (spec 7.14). */
import { describe, expect, test } from "vitest";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsRecord } from "../../src/rounds/index.ts";
import type { RecordMark } from "../../src/rounds/log-entry.ts";
import { isMarked } from "../../src/rounds/seeds.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { called, marked, performedRecord, relisted, testInstance } from "./liars.ts";
import { seedsPlan } from "./seeds-plan.ts";

const path = temporaryFolder();
const plan = await seedsPlan.close();
const honest = await performedRecord(plan, path("honest"));
const OTHER = new Uint8Array(32).fill(9);
let folders = 0;
const performed = (texts: readonly string[] = [], salt = 1): Promise<RoundsRecord> =>
  performedRecord(plan, path(`record-${folders++}`), texts.map((text) => parseRoundFault(plan, text)), { salt }); // prettier-ignore
const liarsOf = async (record: RoundsRecord) =>
  (await auditRecord(record)).liars.map(({ round, name, participant, reason }) => `${round} ${name} ${participant} ${reason}`); // prettier-ignore
/** The record with other marks. The participants show that which they have read. */
const remarked = (record: RoundsRecord, by: (mark: RecordMark) => readonly RecordMark[]): Promise<RoundsRecord> =>
  relisted(record, (roll) => [roll], record.marks.flatMap(by)); // prettier-ignore
/** The marks of two rounds, from which the seeds of round 2 follow, replaced. */
const of2 = (by: (mark: RecordMark) => readonly RecordMark[]) => (mark: RecordMark) => (mark.rounds === 2 ? by(mark) : [mark]); // prettier-ignore
/** A record that is listed in several ways. */
const base = await performed();
const LEAVES = ["local-0", "local-1", "local-2", "merge-0"];
const all = (what: string): string[] => LEAVES.map((name) => `2 ${name} ${what}`);

test("a mark is signed for its instance, as many rounds and the root", () => {
  const instance = testInstance(plan);
  const mark = marked(instance, 2, OTHER);
  expect(isMarked(instance, mark)).toBe(true);
  expect(isMarked(instance, { ...mark, rounds: 3 })).toBe(false);
  expect(isMarked(instance, { ...mark, root: OTHER.map((byte, i) => (i === 5 ? byte ^ 1 : byte)) })).toBe(false);
  expect(isMarked(testInstance(plan, 2), mark)).toBe(false);
  expect(isMarked(instance, marked(instance, 2, OTHER, "server-0"))).toBe(false);
});

describe("a participant", () => {
  test.each([
    ["participant=client-1,round=2,seed:0", "2 local-1 client-1 inputs"],
    ["participant=client-1,round=0,seed:255", "0 local-1 client-1 inputs"],
    ["participant=server-0,round=3,seed:100", "3 merge-0 server-0 inputs"],
    ["participant=client-2,round=2,message:entry=0,bit=22", "2 local-2 client-2 message"],
    ["participant=client-0,round=1,steps:1", "1 local-0 client-0 message"],
  ])("that draws by another seed, or lies beside one, is named, and nobody after it: %s", async (fault, expected) => {
    const record = await performed([fault]);
    expect(await liarsOf(record)).toEqual([expected]);
    const [round, name, participant, reason] = expected.split(" ");
    // In these records the keys sign twice for a place, which keys with a journal refuse.
    expect(await disputeRecords(honest, record)).toMatchObject({ round: Number(round), name, losers: [1], blames: [{ participant, reason, record: 1 }, { participant, reason: "equivocation" }] }); // prettier-ignore
  });

  test("that draws by the plan's own seeds is named", async () => {
    const foreign = await performedRecord({ ...plan, seeds: undefined }, path("foreign"), [], { instance: honest.instance }); // prettier-ignore
    const record = await relisted(await performed(), (roll) => [roll]);
    const place = { round: 1, seat: 0 };
    const statements = record.all.map((each) => (each.round === 1 && each.seat === 0 ? foreign.at(place)! : each));
    const listed = new (record.constructor as typeof RoundsRecord)(record.folder, plan, record.instance, record.blobs, { statements, rolls: record.rolls.all, marks: record.marks }); // prettier-ignore
    expect(await liarsOf(listed)).toContain("1 local-0 client-0 inputs");
  });
});

describe("the recorder", () => {
  test("loses that shows one mark, and lists another; who read the first does not", async () => {
    const lies = await remarked(
      base,
      of2(({ rounds }) => [marked(base.instance, rounds, OTHER)]),
    );
    expect(await liarsOf(lies)).toEqual([...all("recorder equivocation"), "1 record recorder record"]);
    // A reader that has kept nothing is right by the leaves that are listed.
    for (const statement of lies.all) {
      const { mark: _, ...note } = await lies.note(statement);
      await lies.writeNote(statement, note);
    }
    expect(await liarsOf(lies)).toEqual([...all("recorder record"), "1 record recorder record"]);
    const found = await disputeRecords(honest, lies);
    expect(found).toEqual({ outcome: "agree", rounds: 4 });
  });

  test("loses that has chosen seeds by a mark of nothing, though all have read it", async () => {
    const record = await performedRecord(plan, path("ground"), [], { marks: { 2: OTHER } });
    expect(await liarsOf(record)).toEqual(["1 record recorder record"]);
    expect(await disputeRecords(honest, record)).toMatchObject({ round: 2, losers: [1], blames: [{ participant: "recorder", reason: "record", record: 1 }, { participant: "client-0", reason: "equivocation" }, { participant: "recorder", reason: "equivocation", record: undefined }] }); // prettier-ignore
    // It then lists the mark that fits: who read the other one shows it, and who shows nothing loses.
    const fits = honest.marks.find(({ rounds }) => rounds === 2)!;
    const hidden = await remarked(
      record,
      of2(() => [fits]),
    );
    expect(await liarsOf(hidden)).toEqual(all("recorder equivocation"));
    const place = { round: 2, seat: 0 };
    const { mark, ...note } = await hidden.note(place);
    const shows = [undefined, { ...mark!, signature: fits.signature }, { ...mark!, rounds: 1 }, marked(testInstance(plan, 2), 2, OTHER), marked(record.instance, 2, OTHER, "server-0"), 7]; // prettier-ignore
    for (const [i, shown] of shows.entries()) {
      await hidden.writeNote(place, { ...note, ...(shown !== undefined && { mark: shown as RecordMark }) });
      const expected = all("recorder equivocation").map((each) => (each.includes("local-0") ? "2 local-0 client-0 inputs" : each)); // prettier-ignore
      expect(await liarsOf(hidden), `${i}`).toEqual(expected);
    }
  });

  const cases: [what: string, marks: (record: RoundsRecord, mark: RecordMark) => readonly RecordMark[], expected: string[]][] = [
    ["has no mark", () => [], all("recorder record")],
    ["lists a mark that it has not signed", (_, mark) => [{ ...mark, signature: mark.signature.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) }], all("recorder unsigned")],
    ["lists a mark of another", (record, mark) => [marked(record.instance, mark.rounds, mark.root, "server-0")], all("recorder unsigned")],
    ["signs two marks, of which the second was read", (record, mark) => [marked(record.instance, mark.rounds, OTHER), mark], [...all("recorder equivocation"), "1 record recorder record"]],
    ["signs two marks, of which the first was read", (record, mark) => [mark, marked(record.instance, mark.rounds, OTHER)], ["1 record recorder record"]],
  ]; // prettier-ignore
  test.each(cases)("loses that %s, and nobody else does", async (_, marks, expected) => {
    expect(
      await liarsOf(
        await remarked(
          base,
          of2((mark) => marks(base, mark)),
        ),
      ),
    ).toEqual(expected);
  });

  test("loses that signs another roll and another mark, by what a reader shows of either", async () => {
    const rolls = await relisted(base, (roll) => (roll.round === 1 ? [called(base.instance, roll, [true, true, false])] : [roll])); // prettier-ignore
    const found = await liarsOf(rolls);
    expect(found).toContain("1 merge-0 recorder equivocation");
    // The list says that a leaf is absent, so the seeds of round 2 are those of a mark that the readers show.
    expect(found.filter((each) => each.startsWith("2 "))).toEqual(all("recorder equivocation"));
    expect(found.every((each) => each.includes(" recorder "))).toBe(true);
  });
});
