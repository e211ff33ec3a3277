/** Stores on a chain: parties that watch show what stores have signed, and stores show what they hold (spec 7.15). */
import { cpSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { beginRecord } from "../../../src/rounds/begin-record.ts";
import { ReceiptLog } from "../../../src/rounds/evidence-log.ts";
import type { RoundsRecord } from "../../../src/rounds/index.ts";
import type { LeafPlace } from "../../../src/rounds/plan.ts";
import { logFile } from "../../../src/rounds/record.ts";
import { runOf } from "../../../src/rounds/statement.ts";
import { performanceEvents } from "../../../src/settlement/rounds/performance.ts";
import { censoredIn, demandCopyCall, notesCall } from "../../../src/settlement/rounds/store-calls.ts";
import type { PostedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, stored, writeRecordLog } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { receiptOf, storedRecord } from "./stored-record.ts";
import { WatchedRounds } from "./watched.ts";

const path = temporaryFolder();
const on = new WatchedRounds(() => membershipPlan.close({ rounds: 2, stores: 3, copies: 2 }));
const DAY = 86_400;
const LATE = { round: 2, seat: 1 };
const isLate = ({ round, seat }: LeafPlace): boolean => round === LATE.round && seat === LATE.seat;
let folders = 0;

interface Performed {
  readonly posted: PostedRounds;
  readonly record: RoundsRecord;
}

/**
 * A performance in which client 1 is absent by the record in the last round.
 * @param leavesOut the places for which the record has nothing that stores have signed
 */
async function performed(leavesOut?: (place: LeafPlace) => boolean): Promise<Performed> {
  const posted = await on.staked();
  const record = await performedRecord(on.plan, path(`record-${folders++}`), [], { instance: posted.instance, away: isLate }); // prettier-ignore
  return { posted, record: await storedRecord(record, leavesOut) };
}

/** The same, where client 1 has signed a leaf that two stores hold. */
async function censored(leavesOut?: (place: LeafPlace) => boolean): Promise<Performed> {
  const { posted, record } = await performed();
  const all = await performedRecord(on.plan, path(`all-${folders++}`), [], { instance: posted.instance });
  const late = all.at(LATE)!;
  const listed = await storedRecord(record, leavesOut, [late]);
  for (const store of [0, 1]) listed.sentences.admit(receiptOf(listed, late, store));
  return { posted, record: listed };
}

const demanded = (posted: PostedRounds, record: RoundsRecord, entry: number, chunk: number, store = 0) =>
  on.call("stranger", demandCopyCall(record, posted.terms, { round: 1, seat: 0, store, entry, chunk }));

const convicted = (posted: PostedRounds) => async (): Promise<boolean> => (await on.convicted(posted)).length > 0;

test("a store shows what it is asked for, and a recorder its receipts and notes: nobody loses", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  const watchers = ["client-0", "server-0", "recorder", "store-0", "store-1", "stranger"].map((name) => on.watch(name, posted, record)); // prettier-ignore
  for (const place of [LATE, { round: 1, seat: 3 }])
    await on.call("stranger", { contract: "roundManager", functionName: "demand", args: [posted.terms, place] });
  for (const [entry, chunk] of [[0, 0], [1, 0], [0, 7], [99, 0]] as const) await demanded(posted, record, entry, chunk); // prettier-ignore
  const answered = async (): Promise<boolean> => {
    const { questions, copies } = await performanceEvents(on.session, posted);
    return [...questions, ...copies].every(({ done }) => done) && copies.length === 4;
  };
  await on.until("all answers", answered);
  await on.until("all audits end", () => watchers.every(({ audited }) => audited));
  await on.pass(2 * DAY + 2);
  for (const end of await Promise.all(watchers.map(({ ended }) => ended)))
    expect(end).toMatchObject({ view: { state: "Closed", stores: 3 }, lost: false, convicted: [] });
  expect(watchers.flatMap(({ acts }) => acts).sort()).toEqual(["close", "show", "show", ...Array<string>(4).fill("showCopy")]); // prettier-ignore
});

test("a store answers after the performance was closed, and ends its watch then", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  const { deadline } = await on.view(posted);
  await demanded(posted, record, 0, 0);
  await demanded(posted, record, 1, 0);
  await on.pass(deadline - (await on.view(posted)).now + 1);
  await on.call("stranger", { contract: "roundManager", functionName: "close", args: [posted.terms] });
  expect((await on.view(posted)).state).toBe("Closed");
  const store = on.watch("store-0", posted, record);
  // The first one's time is over, since nobody has watched: nobody has taken the stake yet.
  expect(await store.ended).toMatchObject({ lost: true, convicted: [] });
  expect(store.troubles.at(-1)).toContain("chunk 0 of entry 0 of seat 0 in round 1 was not shown in time: stake and reward of the store are held back"); // prettier-ignore
  expect(store.acts).toEqual(["showCopy"]);
  // It ends it who has asked.
  const stranger = on.watch("stranger", posted, record);
  expect(await stranger.ended).toMatchObject({ lost: false, convicted: [{ fault: "withheld" }] });
  expect(stranger.acts).toEqual(["lapseCopy"]);
});

test("a store that withholds loses by whoever has asked", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  await demanded(posted, record, 0, 0, 1);
  const watchers = ["client-0", "stranger", "store-0"].map((name) => on.watch(name, posted, record));
  await on.pass(DAY + 2);
  await on.until("a conviction", convicted(posted));
  await Promise.all(watchers.map(({ ended }) => ended));
  expect(await on.convicted(posted)).toEqual([["store-1", "withheld"]]);
  expect(watchers.map(({ acts }) => acts.filter((act) => act !== "close"))).toEqual([[], ["lapseCopy"], []]);
});

test("a recorder that calls a member absent without notes loses by the receipts of its leaf", async () => {
  const { posted, record } = await censored(isLate);
  await on.post(posted, record);
  const watcher = on.watch("stranger", posted, record);
  await on.until("an accusation", () => watcher.acts.includes("accuseCensor"));
  await on.pass(DAY + 2);
  await on.until("a conviction", convicted(posted));
  await watcher.ended;
  expect((await on.convicted(posted))[0]).toEqual(["recorder", "censored"]);
  expect(watcher.acts).toContain("convictCensor");
});

test("a censored member accuses the recorder with what it has kept itself, which no copy of the record has", async () => {
  const { posted, record } = await performed(isLate);
  const late = (await performedRecord(on.plan, path(`all-${folders++}`), [], { instance: posted.instance })).at(LATE)!;
  const own = await beginRecord(path(`own-${folders++}`), on.plan, posted.instance);
  own.admit(late);
  await writeRecordLog(own);
  await (await ReceiptLog.open(own.folder, on.plan.turns)).keep(late, [0, 1].map((store) => receiptOf(own, late, store))); // prettier-ignore
  await on.post(posted, record);
  const member = on.watch("client-1", posted, record, { evidence: [own.folder] });
  await on.until("an accusation", () => member.acts.includes("accuseCensor"));
  await on.pass(DAY + 2);
  await on.until("a conviction", convicted(posted));
  expect(await member.ended).toMatchObject({ lost: false });
  expect((await on.convicted(posted))[0]).toEqual(["recorder", "censored"]);
});

test("a store shows what it holds itself where nobody hands the record over, and never convicts itself", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  const [kept, nowhere] = [{ evidence: [record.folder], accuses: false }, { folder: path("nowhere") } as RoundsRecord];
  await demanded(posted, record, 0, 0);
  const store = on.watch("store-0", posted, nowhere, kept);
  await on.until("an answer", () => store.acts.includes("showCopy"));
  // Nobody watches for store 1 in time. Who has not asked leaves it to those who have.
  await demanded(posted, record, 0, 0, 1);
  await on.pass(DAY + 1_000);
  const late = on.watch("store-1", posted, nowhere, kept);
  await on.pass(2 * DAY);
  expect(await store.ended).toMatchObject({ view: { state: "Closed" }, lost: false });
  expect(await late.ended).toMatchObject({ convicted: [], lost: true });
  expect([...store.acts, ...late.acts].sort()).toEqual(["close", "showCopy"]);
});

test("a recorder with notes answers by itself, and the store that has signed both loses", async () => {
  const { posted, record } = await censored(isLate);
  const [accusation] = censoredIn(record, posted.terms);
  for (const store of [1, 2]) record.sentences.admit(stored(posted.instance, LATE, store));
  await on.post(posted, record);
  // By the whole record it is no accusation any more: the notes are there.
  expect(censoredIn(record, posted.terms)).toEqual([]);
  const recorder = on.watch("recorder", posted, record, { accuses: false });
  await on.call("stranger", { contract: "roundManager", functionName: accusation.functionName, args: accusation.args });
  await on.until("an answer", () => recorder.acts.includes("showNotes"));
  expect(await on.convicted(posted)).toEqual([["store-1", "equivocation"]]);
  await on.pass(2 * DAY + 2);
  expect(await recorder.ended).toMatchObject({ view: { state: "Closed" }, lost: false });
});

test("a store that has signed a receipt and a note loses by whoever has both", async () => {
  const { posted, record } = await performed();
  const place = { round: 1, seat: 0 };
  record.sentences.admit(stored(posted.instance, place, 0));
  await on.post(posted, record);
  const watcher = on.watch("stranger", posted, record);
  await on.until("a conviction", convicted(posted));
  await on.pass(DAY + 2);
  await watcher.ended;
  expect(await on.convicted(posted)).toEqual([["store-0", "equivocation"]]);
  expect(watcher.acts.filter((act) => act !== "close")).toEqual(["storeTwice"]);
});

test.each([
  ["lists a leaf that one store holds", { round: 1, seat: 2 }],
  ["calls a member absent by one note", LATE],
])("a recorder that %s loses: it can't show the place", async (_, place) => {
  const { posted, record } = await performed(({ round, seat }) => round === place.round && seat === place.seat);
  const statement = isLate(place) ? undefined : record.at(place)!;
  record.sentences.admit(stored(posted.instance, place, 2, statement && runOf(on.plan, statement)));
  await on.post(posted, record);
  const watchers = ["recorder", "stranger"].map((name) => on.watch(name, posted, record));
  await on.until("a demand", () => watchers[1].acts.includes("demand"));
  await on.until("a trouble", () => watchers[0].troubles.length > 0);
  expect(watchers[0].troubles[0]).toContain("too few of stores");
  await on.pass(DAY + 2);
  await on.until("a conviction", convicted(posted));
  await Promise.all(watchers.map(({ ended }) => ended));
  expect(await on.convicted(posted)).toEqual([["recorder", "unsigned"]]);
});

test("a recorder that restores what its log lacked answers without being started again", async () => {
  const { posted, record } = await performed((place) => place.round === 1 && place.seat === 2);
  await on.post(posted, record);
  await on.call("stranger", { contract: "roundManager", functionName: "demand", args: [posted.terms, { round: 1, seat: 2 }] }); // prettier-ignore
  const recorder = on.watch("recorder", posted, record);
  await on.until("a trouble", () => recorder.troubles.some((text) => text.includes("too few of stores")));
  expect(recorder.acts).toEqual([]);
  for (const store of [0, 1]) record.sentences.admit(receiptOf(record, record.at({ round: 1, seat: 2 })!, store));
  rmSync(logFile(record.folder));
  await writeRecordLog(record);
  await on.until("an answer", () => recorder.acts.includes("show"));
  await on.pass(4 * DAY);
  expect(await recorder.ended).toMatchObject({ view: { state: "Closed" }, lost: false, convicted: [] });
});

test("stores that have signed both lose by what an answer shows on the chain, though no copy has their notes", async () => {
  const { posted, record } = await censored(isLate);
  // The copy that the member has: without the notes that the recorder keeps.
  const copy = path(`copy-${folders++}`);
  const [accusation] = censoredIn(record, posted.terms);
  await on.post(posted, record);
  cpSync(record.folder, copy, { recursive: true });
  for (const store of [0, 1, 2]) record.sentences.admit(stored(posted.instance, LATE, store));
  const member = on.watch("client-1", posted, { folder: copy } as RoundsRecord);
  await on.until("an accusation", () => member.acts.includes("accuseCensor"));
  expect(accusation.functionName).toBe("accuseCensor");
  // Store 2 has signed no receipt. With its note and one more the contract convicts one store alone.
  const [, place, notes] = notesCall(record, posted.terms, LATE)!.args as [unknown, LeafPlace, readonly unknown[]];
  await on.call("recorder", {
    contract: "roundManager",
    functionName: "showNotes",
    args: [posted.terms, place, notes],
  });
  await on.until("all convictions", async () => (await on.convicted(posted)).length === 2);
  expect((await on.convicted(posted)).map(([name]) => name).sort()).toEqual(["store-0", "store-1"]);
  await on.pass(4 * DAY);
  expect(await member.ended).toMatchObject({ lost: false });
});

test("the client ends a demand that nobody else ends, and has the reward of the store", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  await demanded(posted, record, 0, 0, 1);
  const client = on.watch("client", posted, record, { accuses: false });
  await on.pass(DAY + 2);
  await on.pass(DAY);
  await on.until("the end of the demand", () => client.acts.includes("lapseCopy"));
  expect(await on.convicted(posted)).toEqual([["store-1", "withheld"]]);
  await on.pass(2 * DAY);
  expect(await client.ended).toMatchObject({ view: { state: "Closed" }, lost: false });
});

test("nobody is asked for what it has not signed", async () => {
  const { posted, record } = await performed();
  const ask = (place: LeafPlace, store: number) => () => demandCopyCall(record, posted.terms, { ...place, store, entry: 0, chunk: 0 }); // prettier-ignore
  for (const [place, store] of [
    [{ round: 1, seat: 0 }, 2],
    [LATE, 1],
    [{ round: 9, seat: 0 }, 0],
  ] as const)
    expect(ask(place, store)).toThrow(place === LATE ? "was absent in round 2" : "has no receipt of store");
});
