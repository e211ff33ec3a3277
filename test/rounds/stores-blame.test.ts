/** Who loses about stores: what a record lacks is the recorder's, and two sentences of a store are the store's (spec 7.14). */
import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { auditRecord, disputeRecords, RoundsRecord, type StoreSentence } from "../../src/rounds/index.ts";
import { evidenceFile, keepEvidence, ReceiptLog } from "../../src/rounds/evidence-log.ts";
import type { LeafPlace } from "../../src/rounds/plan.ts";
import { runOf } from "../../src/rounds/statement.ts";
import type { RunRoot } from "../../src/trace/commitments.ts";
import { exists } from "../../src/files/regular.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord, relisted, stored, writeRecordLog } from "./liars.ts";
import { membershipPlan } from "./membership-plan.ts";

const path = temporaryFolder();
const plan = await membershipPlan.close({ rounds: 2, stores: 3, copies: 2 });
const LEAF = { round: 2, seat: 0 };
const ABSENT = { round: 2, seat: 1 };
const away = ({ round, seat }: LeafPlace): boolean => round === 2 && seat === 1;
const honest = await performedRecord(plan, path("honest"), [], { away });
const runAt = (record: RoundsRecord, place: LeafPlace): RunRoot => runOf(plan, record.at(place)!);
const isAt = (place: LeafPlace, { round, seat }: StoreSentence): boolean =>
  round === place.round && seat === place.seat;
const liarsOf = async (record: RoundsRecord) =>
  (await auditRecord(record)).liars.map(({ round, name, participant, reason }) => `${round} ${name} ${participant} ${reason}`); // prettier-ignore
/** The record with other sentences about a place than it has. */
const about = (place: LeafPlace, by: (sentence: StoreSentence) => readonly StoreSentence[]) =>
  relisted(honest, (roll) => [roll], [], [], (sentence) => (isAt(place, sentence) ? by(sentence) : [sentence])); // prettier-ignore
const broken = (sentence: StoreSentence): StoreSentence => ({ ...sentence, signature: sentence.signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) }); // prettier-ignore

describe("nobody is to blame", () => {
  test("where each leaf has its receipts, and each absence its notes, though a store is silent", async () => {
    expect(await liarsOf(honest)).toEqual([]);
    for (const place of [LEAF, ABSENT])
      for (const silent of [0, 1, 2]) expect(await liarsOf(await about(place, (each) => (each.store === silent ? [] : [each])))).toEqual([]); // prettier-ignore
    const all = await performedRecord(plan, path("all"), [], { salt: 2 });
    expect(await disputeRecords(honest, all)).toMatchObject({ losers: [], blames: [], absent: [0] });
  });

  test("for a sentence with a wrong signature: it counts as none", async () => {
    const forged = stored(honest.instance, LEAF, 1, undefined, "store-0");
    const record = await about(LEAF, (each) => (each.store === 1 ? [broken(each), forged] : [each]));
    expect(await liarsOf(record)).toEqual([]);
  });
});

describe("the recorder loses", () => {
  const run = runAt(honest, LEAF);
  const other = new Uint8Array(32).fill(7) as Uint8Array as RunRoot;
  const { instance } = honest;
  test.each<[string, LeafPlace, (sentence: StoreSentence) => readonly StoreSentence[]]>([
    ["lists a leaf with one receipt of two", LEAF, (each) => (each.store === 0 ? [each] : [])],
    ["lists a leaf with none", LEAF, () => []],
    ["lists a leaf with the receipt of one store twice", LEAF, (each) => (each.store === 0 ? [each, { ...each, store: 1 }] : [])], // prettier-ignore
    ["lists a leaf with a broken receipt", LEAF, (each) => (each.store === 0 ? [each] : [broken(each)])],
    ["lists a leaf with a receipt of another run", LEAF, (each) => (each.store === 0 ? [each] : [stored(instance, LEAF, each.store, other)])], // prettier-ignore
    ["lists a leaf with a receipt of another place", LEAF, (each) => (each.store === 0 ? [each] : [stored(instance, { ...LEAF, seat: 2 }, each.store, run)])], // prettier-ignore
    ["lists a leaf with a receipt by a member's key", LEAF, (each) => (each.store === 0 ? [each] : [stored(instance, LEAF, each.store, run, "client-0")])], // prettier-ignore
    ["lists a leaf with notes instead", LEAF, (each) => (each.store === 0 ? [each] : [stored(instance, LEAF, each.store)])], // prettier-ignore
    ["calls a member absent with one note of two", ABSENT, (each) => (each.store === 0 ? [each] : [])],
    ["calls a member absent with none", ABSENT, () => []],
    ["calls a member absent with broken notes", ABSENT, (each) => (each.store === 0 ? [each] : [broken(each)])],
    ["calls a member absent with receipts instead", ABSENT, (each) => (each.store === 0 ? [each] : [stored(instance, ABSENT, each.store, other)])], // prettier-ignore
  ])("that %s", async (_, place, by) => {
    const record = await about(place, by);
    const name = `local-${place.seat}`;
    const named = await liarsOf(record);
    expect(named).toContain(`2 ${name} recorder receipts`);
    // A receipt of another leaf beside an honest one of it is the store's own second sentence.
    expect(named.filter((each) => !each.includes("store-"))).toEqual([`2 ${name} recorder receipts`]);
  });

  test("in a dispute too, and for whom a roll leaves out beside the place in question", async () => {
    const lied = await performedRecord(plan, path("lied"), [], { salt: 2 });
    const record = await relisted(lied, (roll) => [roll], [], [], (each) => (isAt(ABSENT, each) && each.store > 0 ? [] : [each])); // prettier-ignore
    expect(await disputeRecords(honest, record)).toMatchObject({ round: 2, name: "local-1", losers: [1], blames: [{ participant: "recorder", reason: "receipts", record: 1 }] }); // prettier-ignore
    // The records differ at local-0; the roll of both leaves out local-1, and one of them has no notes of it.
    const first = await performedRecord(plan, path("first"), [], { salt: 3, away: ({ round, seat }) => round === 2 && seat < 1 }); // prettier-ignore
    const bare = await about(ABSENT, () => []);
    expect(await disputeRecords(first, bare)).toMatchObject({ name: "local-0", losers: [1], blames: [{ participant: "recorder", reason: "receipts", record: 1 }] }); // prettier-ignore
  });

  test("and is not excused by what others show: it had to have it", async () => {
    const record = await about(LEAF, (each) => (each.store === 0 ? [each] : []));
    for (const each of honest.sentences.at(LEAF)) record.shownSentences.admit(each);
    expect(await liarsOf(record)).toEqual(["2 local-0 recorder receipts"]);
  });
});

describe("a store loses", () => {
  const run = runAt(honest, LEAF);
  const other = new Uint8Array(32).fill(7) as Uint8Array as RunRoot;
  const { instance } = honest;

  test.each([
    ["a note beside its receipt", stored(instance, LEAF, 1), LEAF],
    ["receipts of two runs", stored(instance, LEAF, 1, other), LEAF],
    ["a receipt beside its note", stored(instance, ABSENT, 1, other), ABSENT],
  ])("that has signed %s, in the record or beside it, and nobody else does", async (_, second, place) => {
    const expected = [`2 local-${place.seat} store-1 equivocation`];
    expect(await liarsOf(await about(place, (each) => (each.store === 1 ? [each, second] : [each])))).toEqual(expected);
    expect(await liarsOf(await about(place, (each) => (each.store === 1 ? [second, each] : [each])))).toEqual(expected);
    const record = await about(place, (each) => [each]);
    record.shownSentences.admit(second);
    record.shownSentences.admit(broken(stored(instance, place, 2, other)));
    expect(await liarsOf(record)).toEqual(expected);
    expect((await auditRecord(record, { to: 1 })).liars).toEqual([]);
  });

  test("that is in both, where a member shows receipts and the record has enough notes; the recorder does not", async () => {
    const folder = path("shown");
    const made = (await performedRecord(plan, path("made"), [])).at(ABSENT)!;
    const receipts = [0, 2].map((store) => stored(instance, ABSENT, store, runOf(plan, made)));
    mkdirSync(folder);
    await (await ReceiptLog.open(folder, plan.turns)).keep(made, receipts);
    await writeRecordLog(honest);
    expect(await liarsOf(await RoundsRecord.open(path("honest")))).toEqual([]);
    const shown = await RoundsRecord.open(path("honest"), [folder]);
    expect(await liarsOf(shown)).toEqual(["2 local-1 store-0 equivocation", "2 local-1 store-2 equivocation"]);
    // Without enough notes the recorder loses as well: the sentences that are there still contradict each other.
    const few = await about(ABSENT, (each) => (each.store === 0 ? [each] : []));
    for (const each of receipts) few.shownSentences.admit(each);
    expect(await liarsOf(few)).toEqual(["2 local-1 recorder receipts", "2 local-1 store-0 equivocation"]);
  });

  test("by evidence that was kept, and of a place that the plan does not have nothing is believed", async () => {
    const record = await performedRecord(plan, path("kept"), [], { away });
    await writeRecordLog(record);
    const outside = [{ ...stored(record.instance, { round: 9, seat: 0 }, 0), round: 9 }, stored(record.instance, { round: 9, seat: 0 }, 0, run)]; // prettier-ignore
    await keepEvidence(record, { statements: [], rolls: [], marks: [], sentences: [stored(record.instance, LEAF, 2), ...outside] }); // prettier-ignore
    expect(await exists(evidenceFile(path("kept")))).toBe(true);
    expect(await liarsOf(await RoundsRecord.open(path("kept")))).toEqual(["2 local-0 store-2 equivocation"]);
  });

  test("by two records of one performance, in one of which a member is present and in the other absent", async () => {
    const all = await performedRecord(plan, path("present"), []);
    const found = await disputeRecords(honest, all);
    const stores = [0, 1, 2].map((store) => ({ participant: `store-${store}`, reason: "equivocation", record: undefined })); // prettier-ignore
    // The recorder has signed two rolls.
    expect(found).toMatchObject({ losers: [], blames: [...stores, { participant: "recorder", reason: "equivocation" }] }); // prettier-ignore
  });
});
