/** Parties that watch a performance in which members may be away: who is honest keeps its stake (spec 7.15). */
import { cp } from "node:fs/promises";
import { expect, test } from "vitest";
import { parseRoundFault, type Roll, RoundsRecord } from "../../../src/rounds/index.ts";
import type { LeafPlace } from "../../../src/rounds/plan.ts";
import type { PostedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { called, performedRecord, relisted } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";
import { WatchedRounds } from "./watched.ts";

const path = temporaryFolder();
const on = new WatchedRounds(() => membershipPlan.close({ rounds: 3 }));
const DAY = 86_400;
const AT = { round: 2, turn: 0 };
const LATE = { round: 2, seat: 1 };
const isAway = ({ round, seat }: LeafPlace): boolean => round === LATE.round && seat === LATE.seat;
let folders = 0;

type Performed = { posted: PostedRounds; record: RoundsRecord };

async function performed(faults: readonly string[] = [], away = isAway): Promise<Performed> {
  const posted = await on.staked();
  const planted = faults.map((text) => parseRoundFault(on.plan, text));
  const record = await performedRecord(on.plan, path(`record-${folders++}`), planted, { instance: posted.instance, away }); // prettier-ignore
  return { posted, record };
}

/** The recorder lists the leaf of the absent one after all, by a roll that is not the one that was read. */
async function deceived(by: (roll: Roll) => Roll): Promise<Performed> {
  const { posted, record } = await performed();
  const all = await performedRecord(on.plan, path(`all-${folders++}`), [], { instance: posted.instance });
  const present = called(posted.instance, AT, [true, true, true]);
  const other = await relisted(record, (roll) => [roll.round === AT.round ? by(present) : roll], [], [all.at(LATE)!]);
  await other.writeNote(LATE, await all.note(LATE));
  const { tensors, roots } = await all.state(all.at(LATE)!);
  await other.blobs.put(tensors, roots);
  return { posted, record: other };
}

/** The folder as the recorder hands it over, without what was read. */
async function withoutReads(record: RoundsRecord): Promise<RoundsRecord> {
  const copy = path(`copy-${folders++}`);
  await cp(record.folder, copy, { recursive: true });
  const handed = await RoundsRecord.open(copy);
  for (const statement of handed.all) {
    const { roots, metrics } = await handed.note(statement);
    await handed.writeNote(statement, { roots, metrics });
  }
  return handed;
}

const convicted = (posted: PostedRounds) => async (): Promise<boolean> => (await on.convicted(posted)).length > 0;

test("an absence is nobody's fault, and its place is shown to whoever demands it", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  const watchers = ["client-0", "client-1", "server-0", "recorder", "stranger"].map((name) => on.watch(name, posted, record)); // prettier-ignore
  await on.call("stranger", { contract: "roundManager", functionName: "demand", args: [posted.terms, LATE] });
  await on.until("an answer", () => watchers.some(({ acts }) => acts.includes("show")));
  await on.until("all audits end", () => watchers.every(({ audited }) => audited));
  await on.pass(2 * DAY + 2);
  for (const end of await Promise.all(watchers.map(({ ended }) => ended)))
    expect(end).toMatchObject({ view: { state: "Closed" }, lost: false, convicted: [] });
  expect(watchers.flatMap(({ acts }) => acts).sort()).toEqual(["close", "show"]);
});

test.each([
  ["participant=server-0,round=2,flip:step=0,operator=3,bit=22", "challenge", "server-0", "game"],
  ["participant=client-1,round=3,message:entry=0,bit=22", "challenge", "client-1", "game"],
  ["participant=server-0,round=2,presence:1", "accuse", "server-0", "inputs"],
])("who lies beside an absence loses: %s", async (fault, act, participant, reason) => {
  const { posted, record } = await performed([fault]);
  await on.post(posted, record);
  const [honest, liar] = [on.watch("client-2", posted, record), on.watch(participant, posted, record)];
  await on.until("it is shown", () => honest.acts.includes(act));
  if (act === "accuse") await on.pass(DAY + 1);
  await on.until("a verdict", convicted(posted));
  expect(await on.convicted(posted)).toEqual([[participant, reason]]);
  await on.pass(DAY + 1);
  expect(await honest.ended).toMatchObject({ lost: false });
  expect(await liar.ended).toMatchObject({ lost: true });
});

test("a recorder that closes a turn below the quorum loses", async () => {
  const { posted, record } = await performed([], ({ round, seat }) => round === 2 && seat < 2);
  await on.post(posted, record);
  const watcher = on.watch("stranger", posted, record);
  await on.until("a verdict", convicted(posted));
  expect(await on.convicted(posted)).toEqual([["recorder", "roll"]]);
  await on.pass(DAY + 1);
  expect(await watcher.ended).toMatchObject({ lost: false });
  expect(watcher.acts).toContain("missMany");
});

test("a recorder that has signed two rolls loses, and who read by the first one does not", async () => {
  const { posted, record } = await deceived((roll) => roll);
  await on.post(posted, record);
  const watchers = ["stranger", "server-0"].map((name) => on.watch(name, posted, record));
  await on.until("a verdict", convicted(posted));
  expect(await on.convicted(posted)).toEqual([["recorder", "equivocation"]]);
  await on.pass(DAY + 1);
  for (const { ended } of watchers) expect(await ended).toMatchObject({ lost: false });
});

test("an owner that is accused of what it has read by a roll answers from its own folder", async () => {
  const { posted, record } = await deceived((roll) => roll);
  await on.post(posted, record);
  const handed = await withoutReads(record);
  // The server has read the roll of round 2 in that round, and the member that was absent then, in the next one.
  const accuser = on.watch("stranger", posted, handed);
  const nothing = { folder: path("nothing") } as RoundsRecord;
  // One watches what it was handed, and one was handed nothing. Both have kept what they have read.
  const own = { accuses: false, evidence: [record.folder] };
  const owners = [on.watch("server-0", posted, handed, own), on.watch("client-1", posted, nothing, own)];
  await on.until("two accusations", () => accuser.acts.filter((act) => act === "accuse").length === 2);
  await on.until("two answers", () => owners.every(({ acts }) => acts.includes("answer")));
  await on.pass(3 * DAY);
  for (const { ended } of owners) expect(await ended).toMatchObject({ view: { state: "Closed" }, lost: false });
  // The answers show the roll that makes two with the record's, which nobody had handed over.
  expect(await on.convicted(posted)).toEqual([["recorder", "equivocation"]]);
  expect(await accuser.ended).toMatchObject({ lost: false });
});

test("a recorder that has signed no roll but the one that was read loses by the answer, too", async () => {
  const { posted, record } = await deceived((roll) => ({ ...roll, signature: new Uint8Array(65) }));
  await on.post(posted, record);
  const handed = await withoutReads(record);
  const [accuser, owner] = [on.watch("stranger", posted, handed), on.watch("server-0", posted, record, { accuses: false })]; // prettier-ignore
  await on.until("an answer", () => owner.acts.includes("answer"));
  await on.until("a verdict", convicted(posted));
  expect(await on.convicted(posted)).toEqual([["recorder", "roll"]]);
  await on.until("the call that shows it", () => accuser.acts.includes("miscall"));
  await on.pass(3 * DAY);
  expect(await owner.ended).toMatchObject({ lost: false });
  await accuser.ended;
});
