/** Records of a plan with stores that are disputed on a chain: the loser there is the one off the chain (spec 7.15). */
import { expect, test } from "vitest";
import { disputeRecords, type RoundsRecord, type StoreSentence } from "../../../src/rounds/index.ts";
import type { LeafPlace } from "../../../src/rounds/plan.ts";
import { runOf } from "../../../src/rounds/statement.ts";
import { disputeRecordOnChain } from "../../../src/settlement/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, relisted, stored } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";

const path = temporaryFolder();
const plan = await membershipPlan.close({ rounds: 2, stores: 3, copies: 2 });
const LEAF = { round: 2, seat: 1 };
const isLeaf = ({ round, seat }: LeafPlace): boolean => round === LEAF.round && seat === LEAF.seat;
const absent = await performedRecord(plan, path("absent"), [], { away: isLeaf });
const present = await performedRecord(plan, path("present"), [], { salt: 2 });
const ofOne = await performedRecord(plan, path("of-one"));
/** The record with other sentences about the place than it has. */
const about = (record: RoundsRecord, by: (sentence: StoreSentence) => readonly StoreSentence[]) =>
  relisted(
    record,
    (roll) => [roll],
    [],
    [],
    (sentence) => (isLeaf(sentence) ? by(sentence) : [sentence]),
  );
const first = (each: StoreSentence): StoreSentence[] => (each.store === 0 ? [each] : []);
const note = ({ instance }: RoundsRecord, store: number): StoreSentence => stored(instance, LEAF, store);
const stores = (...numbers: number[]) => numbers.map((store) => [`store-${store}`, "equivocation"]);
const RECORDER = ["recorder", "receipts"];

test.each<[string, () => Promise<RoundsRecord>, RoundsRecord, string[][], string[]]>([
  ["performances that differ in who was there: nobody", async () => absent, present, [], []],
  ["and the other way round", async () => present, absent, [], []],
  [
    "a leaf with one receipt of two: the recorder",
    () => about(present, first),
    absent,
    [RECORDER],
    ["demand", "lapse"],
  ],
  [
    "an absence with one note of two: the recorder",
    () => about(absent, first),
    present,
    [RECORDER],
    ["demand", "lapse"],
  ],
  ["an absence without any: the recorder", () => about(absent, () => []), present, [RECORDER], ["demand", "lapse"]],
  [
    "a store that has signed a receipt and a note: the store",
    () => about(present, (each) => (each.store === 2 ? [each, note(present, 2)] : [each])),
    absent,
    stores(2),
    ["storeTwice"],
  ],
  [
    "a store that has signed receipts of two runs, where one receipt is too few: both",
    () => about(present, (each) => (each.store === 0 ? [each, stored(present.instance, LEAF, 0, runOf(plan, present.at({ round: 1, seat: 1 })!))] : [])), // prettier-ignore
    absent,
    [RECORDER, ...stores(0)],
    ["storeTwice", "demand", "lapse"],
  ],
])("%s", async (_, make, other, losers, calls) => {
  const posted = await make();
  const off = await disputeRecords(posted, other);
  const on = await disputeRecordOnChain(posted, other);
  if (!("seat" in off && "seat" in on)) throw new Error("the records agree, or can't be compared");
  expect([on.round, on.seat]).toEqual([off.round, off.seat]);
  const own = off.blames.filter(({ record }) => record !== 1);
  expect(own.map(({ participant, reason }) => [participant, reason])).toEqual(losers);
  expect(on.blames.map(({ participant, reason }) => [participant, reason])).toEqual(losers);
  expect(on.moves.map(({ what }) => what).slice(on.moves.length - calls.length)).toEqual(calls);
});

test("two records of one performance: stores that are in both lose, and the recorder by its two rolls", async () => {
  const on = await disputeRecordOnChain(absent, ofOne);
  if (!("blames" in on)) throw new Error("the records agree");
  const blames = on.blames.map(({ participant, reason }) => [participant, reason]);
  expect(blames).toEqual([["recorder", "equivocation"], ...stores(0, 1, 2)]);
});
