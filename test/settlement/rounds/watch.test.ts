/** Parties that watch a performance on a chain: who is honest keeps its stake, and who lies loses it. */
import { describe, expect, test } from "vitest";
import { bytesToHex, parseEther } from "viem";
import type { StateRoot } from "../../../src/encoding/tensor.ts";
import { parseRoundFault, type RoundsRecord } from "../../../src/rounds/index.ts";
import { PostedRecord } from "../../../src/settlement/rounds/evidence.ts";
import type { PostedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import type { ContractCall } from "../../../src/settlement/transactions/caller.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, stated, writeRecordLog } from "../../rounds/liars.ts";
import { smallPlan } from "../../rounds/small-plan.ts";
import { WatchedRounds } from "./watched.ts";

const path = temporaryFolder();
const on = new WatchedRounds(() => smallPlan.close());
const DAY = 86_400;
let folders = 0;

async function performed(...faults: string[]): Promise<{ posted: PostedRounds; record: RoundsRecord }> {
  const posted = await on.staked();
  const planted = faults.map((text) => parseRoundFault(on.plan, text));
  const record = await performedRecord(on.plan, path(`record-${folders++}`), planted, { instance: posted.instance });
  return { posted, record };
}

const creditOf = async (name: string): Promise<bigint> => {
  const { client, deployment } = on.session;
  const { stakeVaultAbi: abi } = await import("../../../src/settlement/abi/stake-vault.ts");
  return (await client.readContract({ address: deployment.roundVault!, abi, functionName: "accountOf", args: [on.addressOf(name)] })).credit; // prettier-ignore
};

test("where nothing is wrong, nothing is asked, and everybody is paid", async () => {
  const { posted, record } = await performed();
  // They watch before there is a record.
  const watchers = ["client-0", "server-0", "recorder", "stranger"].map((name) => on.watch(name, posted, record));
  const before = await creditOf("client-0");
  await on.post(posted, record);
  await on.until("all audits end", () => watchers.every(({ audited }) => audited));
  await on.pass(DAY + 1);
  const ends = await Promise.all(watchers.map(({ ended }) => ended));
  for (const end of ends) expect(end).toMatchObject({ view: { state: "Closed" }, lost: false, convicted: [] });
  expect(watchers.flatMap(({ acts }) => acts)).toEqual(["close"]);
  expect((await creditOf("client-0")) - before).toBe(parseEther("1"));
});

describe("a lie in an operator", () => {
  const FAULT = "participant=client-1,round=2,flip:step=1,operator=2,bit=22";

  test("is challenged, and its author loses the game, though the challenger's node is away for a while", async () => {
    const { posted, record } = await performed(FAULT);
    await on.post(posted, record);
    const [challenger, liar] = [on.watch("client-0", posted, record), on.watch("client-1", posted, record)];
    await on.until("a move", () => challenger.acts.some((act) => act.startsWith("move")));
    challenger.isOut = true;
    await on.until("it is told", () => challenger.troubles.some((text) => text.includes("trying again")));
    challenger.isOut = false;
    await on.until("a verdict", async () => (await on.convicted(posted)).length > 0);
    expect(await on.convicted(posted)).toEqual([["client-1", "game"]]);
    expect(challenger.troubles.at(-1)).toMatch(/^it works again/);
    await on.pass(DAY + 1);
    expect(await challenger.ended).toMatchObject({ lost: false, view: { state: "Closed" } });
    expect(await liar.ended).toMatchObject({ lost: true });
    expect(challenger.acts.filter((act) => act === "challenge")).toHaveLength(1);
  });

  test("is challenged with the signature that a demand has brought, where the copy has a spoiled one", async () => {
    const { posted, record } = await performed(FAULT);
    const copy = await performedRecord(on.plan, path(`record-${folders++}`), [parseRoundFault(on.plan, FAULT)], { instance: posted.instance }); // prettier-ignore
    Object.assign(copy.at({ round: 2, seat: 1 })!, { signature: copy.all[0].signature });
    await writeRecordLog(copy);
    await on.post(posted, record);
    const recorder = on.watch("recorder", posted, record, { accuses: false });
    const challenger = on.watch("client-0", posted, copy);
    await on.until("a challenge", () => challenger.acts.includes("challenge"));
    expect(challenger.acts.slice(0, 2)).toEqual(["demand", "challenge"]);
    await on.until("a move", () => challenger.acts.some((act) => act.startsWith("move")));
    await on.pass(DAY + 3_601);
    await on.until("a verdict", async () => (await on.convicted(posted)).length > 0);
    expect(await on.convicted(posted)).toEqual([["client-1", "game"]]);
    await on.pass(2 * DAY);
    for (const { ended } of [challenger, recorder]) expect(await ended).toMatchObject({ lost: false });
  });

  test("is not challenged twice by one who starts again in the middle, and silence loses too", async () => {
    const { posted, record } = await performed(FAULT);
    await on.post(posted, record);
    // It ends as a process that is killed: after its challenge nothing of it is left.
    const first = on.watch("client-2", posted, record, { onAct: ({ what }) => { if (what === "challenge") throw Object.assign(new Error("killed"), { isKill: true }); } }); // prettier-ignore
    await on.until("a challenge", async () => (await on.view(posted)).open > 0);
    first.isOut = true;
    const again = on.watch("client-2", posted, record);
    await on.until("a move", () => again.acts.some((act) => act.startsWith("move")));
    await on.pass(DAY + 3_601);
    await on.until("a verdict", async () => (await on.convicted(posted)).length > 0);
    expect(await on.convicted(posted)).toEqual([["client-1", "game"]]);
    expect(again.acts).not.toContain("challenge");
    expect(await again.ended).toMatchObject({ lost: false });
    first.isOut = false;
    await first.ended;
    expect((await on.view(posted)).out).toEqual([false, true, false, false, false]);
  });
});

test("a game in which both sides are silent is ended by a stranger, so that it keeps nobody's stake", async () => {
  const { posted, record } = await performed("participant=client-1,round=2,flip:step=1,operator=2,bit=22");
  await on.post(posted, record);
  const challenger = on.watch("client-0", posted, record);
  await on.until("a challenge", () => challenger.acts.includes("challenge"));
  challenger.isOut = true;
  const stranger = on.watch("stranger", posted, record, { accuses: false });
  await on.until("it has read the record", async () => (await on.view(posted)).open > 0);
  // Neither side has more than its clock and one move.
  await on.pass(2 * DAY + 7_200);
  expect(await stranger.ended).toMatchObject({ view: { state: "Closed", open: 0 }, lost: false });
  expect(stranger.acts).toEqual(["timeout", "close"]);
  challenger.isOut = false;
  await challenger.ended;
});

test("a leaf that read something else is accused, and convicted when nobody answers", async () => {
  const { posted, record } = await performed("participant=server-0,round=1,aggregate:2");
  await on.post(posted, record);
  const [accuser, liar] = [on.watch("client-0", posted, record), on.watch("server-0", posted, record)];
  await on.until("an accusation", () => accuser.acts.includes("accuse"));
  await on.until("the accused says that it can't answer", () => liar.troubles.some((text) => text.includes("can't be answered"))); // prettier-ignore
  await on.pass(DAY + 1);
  expect(await accuser.ended).toMatchObject({ lost: false });
  expect(await liar.ended).toMatchObject({ lost: true });
  expect(await on.convicted(posted)).toEqual([["server-0", "inputs"]]);
  expect(accuser.acts).toContain("convict");
});

describe("a recorder", () => {
  const PLACE = { round: 1, seat: 1 };

  test("that lists a leaf which its owner has not signed has to show it, and loses", async () => {
    const { posted, record } = await performed();
    Object.assign(record.at(PLACE)!, stated(on.plan, posted.instance, PLACE, record.at(PLACE)!, "recorder"));
    await on.post(posted, record);
    const [framed, recorder] = [on.watch("client-1", posted, record), on.watch("recorder", posted, record)];
    await on.until("a demand", () => framed.acts.includes("demand"));
    await on.pass(DAY + 1);
    expect(await framed.ended).toMatchObject({ lost: false });
    expect(await recorder.ended).toMatchObject({ lost: true });
    expect(await on.convicted(posted)).toEqual([["recorder", "unsigned"]]);
  });

  test("that lists a leaf whose first state is zero can't show it, and loses", async () => {
    const { posted, record } = await performed();
    const start = new Uint8Array(32) as StateRoot;
    Object.assign(record.at(PLACE)!, stated(on.plan, posted.instance, PLACE, { ...record.at(PLACE)!, start }));
    record.marks.length = 0;
    await on.post(posted, record);
    const watcher = on.watch("client-0", posted, record);
    await on.until("a demand", () => watcher.acts.includes("demand"));
    const shown = [posted.terms, new PostedRecord(record).evidence(PLACE), bytesToHex(record.at(PLACE)!.signature), []];
    const show = { contract: "roundManager", functionName: "show", args: shown } as const;
    await expect(on.call("recorder", show)).rejects.toThrow(
      "the leaf has another number of steps than its template says",
    );
    await on.pass(DAY + 1);
    expect(await watcher.ended).toMatchObject({ lost: false });
    expect(await on.convicted(posted)).toEqual([["recorder", "unsigned"]]);
  });

  test("that posts another record than it has signed loses at once", async () => {
    const { posted, record } = await performed();
    await writeRecordLog(record);
    const other = `0x${"ab".repeat(32)}`;
    await on.call("recorder", { contract: "roundManager", functionName: "postRecord", args: [posted.terms, other] });
    const watcher = on.watch("client-0", posted, record);
    await on.until("a verdict", async () => (await on.convicted(posted)).length > 0);
    await on.pass(DAY + 1);
    expect(await watcher.ended).toMatchObject({ lost: false });
    expect(await on.convicted(posted)).toEqual([["recorder", "record"]]);
    expect(watcher.troubles.join()).toContain("is not the record");
  });

  test("is not paid for each signature that was spoiled in the copy that it has handed over", async () => {
    const { posted, record } = await performed();
    const copy = await performedRecord(on.plan, path(`record-${folders++}`), [], { instance: posted.instance });
    for (const each of copy.all.slice(2, 8)) Object.assign(each, { signature: copy.all[0].signature });
    await writeRecordLog(copy);
    await on.post(posted, record);
    const recorder = on.watch("recorder", posted, record, { accuses: false });
    const watcher = on.watch("stranger", posted, copy);
    const isTold = (): boolean => watcher.troubles.some((text) => text.includes("nothing more is demanded"));
    await on.until("it demands nothing more", isTold);
    await on.until("all answers", () => recorder.acts.length === 3);
    expect(watcher.acts).toEqual(["demand", "demand", "demand"]);
    expect(recorder.acts).toEqual(["show", "show", "show"]);
    await on.pass(2 * DAY);
    for (const { ended } of [watcher, recorder]) expect(await ended).toMatchObject({ lost: false, convicted: [] });
    expect(watcher.troubles.filter((text) => text.includes("nothing more is demanded"))).toHaveLength(1);
  });

  test("that is honest shows the leaf in time, and nothing of what that has read", async () => {
    const { posted, record } = await performed();
    await on.post(posted, record);
    const merge = { round: 1, seat: 3 };
    await on.call("stranger", { contract: "roundManager", functionName: "demand", args: [posted.terms, merge] });
    const calls: ContractCall[] = [];
    const send = (call: ContractCall) => (calls.push(call), on.call("recorder", call));
    const recorder = on.watch("recorder", posted, record, { send });
    await on.until("an answer", () => recorder.acts.includes("show"));
    expect(record.sources(merge)).toHaveLength(3);
    expect(calls[0].args?.[1]).toMatchObject({ place: merge, sources: [], standing: [] });
    await on.pass(DAY + 1);
    expect(await recorder.ended).toMatchObject({ lost: false, convicted: [] });
  });
});

test("who was handed no record plays for its leaf from what it has kept itself", async () => {
  const { posted, record } = await performed();
  await on.post(posted, record);
  const place = { round: 1, seat: 1 };
  const { start, end, signature } = record.at(place)!;
  const states = [bytesToHex(start), bytesToHex(start)];
  expect(states[0]).not.toBe(bytesToHex(end));
  const args = [posted.terms, new PostedRecord(record).evidence(place), ...states, bytesToHex(signature)];
  await on.call("stranger", { contract: "roundGame", functionName: "challenge", args });
  const nothing = { folder: path("nothing") } as RoundsRecord;
  const owner = on.watch("client-1", posted, nothing, { accuses: false, evidence: [record.folder] });
  await on.until("its folder is read", () => owner.troubles.length > 0);
  await on.pass(DAY + 3_601);
  await on.until("a verdict", () => owner.acts.includes("timeout"));
  await on.pass(2 * DAY);
  expect(await owner.ended).toMatchObject({ lost: false, convicted: [] });
});

test("who built on what a neighbour had signed answers from its own part, and the neighbour that signed twice loses", async () => {
  const { posted, record: honest } = await performed();
  const { instance } = posted;
  const fault = parseRoundFault(on.plan, "participant=client-1,round=1,message:entry=0");
  const deceived = () => performedRecord(on.plan, path(`record-${folders++}`), [fault], { instance });
  // The server has read what the client had signed, and the recorder lists what the client has signed beside it.
  const [own, listed] = [await deceived(), await deceived()];
  const source = { round: 1, seat: 1 };
  const { roots, tensors } = await honest.state(honest.at(source)!);
  await listed.blobs.put(tensors, roots);
  await listed.writeNote(source, await honest.note(source));
  Object.assign(listed.at(source)!, honest.at(source)!);
  own.marks.length = listed.marks.length = 0;
  await writeRecordLog(own);
  await on.post(posted, listed);
  const accuser = on.watch("client-0", posted, listed);
  const accused = on.watch("server-0", posted, own);
  // The accused sees that the record lists another leaf than it has read, and demands its signature.
  const recorder = on.watch("recorder", posted, listed, { accuses: false });
  await on.until("an answer", () => accused.acts.includes("answer"));
  // The answer shows the second signature, so the client loses before its time is over.
  await on.until("a verdict", async () => (await on.convicted(posted)).length > 0);
  await on.until("all answers", async () => (await on.view(posted)).open === 0);
  await on.pass(3 * DAY);
  for (const { ended } of [accused, accuser, recorder]) expect(await ended).toMatchObject({ lost: false });
  expect(await on.convicted(posted)).toEqual([["client-1", "equivocation"]]);
});
