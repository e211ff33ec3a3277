/** A watch uses all that the chain shows it: signatures in calls, and what was put beside its record. */
import { bytesToHex } from "viem";
import { describe, expect, test } from "vitest";
import { signDigest } from "../../../src/claims/signature.ts";
import { keepEvidence } from "../../../src/rounds/evidence-log.ts";
import { parseRoundFault, RoundsRecord } from "../../../src/rounds/index.ts";
import { recordDigest } from "../../../src/rounds/statement.ts";
import { PostedRecord } from "../../../src/settlement/rounds/evidence.ts";
import type { PostedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, secretOf, writeRecordLog } from "../../rounds/liars.ts";
import { smallPlan } from "../../rounds/small-plan.ts";
import { type Watcher, WatchedRounds } from "./watched.ts";

const path = temporaryFolder();
const on = new WatchedRounds(() => smallPlan.close());
const DAY = 86_400;
/** Who signs twice in most of these tests, and where. */
const PLACE = { round: 1, seat: 1 };
const SECOND = "participant=client-1,round=1,message:entry=0";
let folders = 0;

const made = (posted: PostedRounds, ...faults: string[]): Promise<RoundsRecord> =>
  performedRecord(on.plan, path(`record-${folders++}`), faults.map((text) => parseRoundFault(on.plan, text)), { instance: posted.instance }); // prettier-ignore

/** A record is posted, and somebody has another one, in which a participant has signed something else. */
async function twice(faults: readonly string[], others: readonly string[]) {
  const posted = await on.staked();
  const [listed, other] = [await made(posted, ...faults), await made(posted, ...others)];
  await on.post(posted, listed);
  other.marks.length = 0;
  await writeRecordLog(other);
  return { posted, listed, other };
}

async function loses(watcher: Watcher, posted: PostedRounds, who: string, why: string): Promise<void> {
  await on.until(`${who} has lost`, async () => (await on.convicted(posted)).some(([name]) => name === who));
  expect(await on.convicted(posted)).toEqual([[who, why]]);
  await on.until("it says so", () => watcher.acts.includes("equivocate"));
  expect(watcher.acts.filter((act) => act === "equivocate")).toHaveLength(1);
}

describe("a signature that a call shows, and another one in the folder", () => {
  test.each(["show", "challenge", "accuse"])("in `%s`, is an equivocation", async (kind) => {
    const isAccusation = kind === "accuse";
    const owner = isAccusation ? { round: 1, seat: 3 } : PLACE;
    const { posted, listed, other } = await (isAccusation ? twice(["participant=server-0,round=1,aggregate:2"], []) : twice([], [SECOND])); // prettier-ignore
    const { terms } = posted;
    const chain = new PostedRecord(listed);
    const evidence = chain.evidence(owner);
    const signature = bytesToHex(listed.at(owner)!.signature);
    const watcher = on.watch("client-0", posted, other);
    await on.until("its folder is read", () => watcher.troubles.length > 0);
    expect(await on.convicted(posted)).toEqual([]);
    if (kind === "show") {
      await on.call("stranger", { contract: "roundManager", functionName: "demand", args: [terms, owner] });
      await on.call("recorder", { contract: "roundManager", functionName: "show", args: [terms, evidence, signature, []] });
    } else if (kind === "challenge") {
      const states = [bytesToHex(other.at(owner)!.start), bytesToHex(other.at(owner)!.end)];
      await on.call("client-2", { contract: "roundGame", functionName: "challenge", args: [terms, evidence, ...states, signature] }); // prettier-ignore
    } else
      await on.call("stranger", { contract: "roundManager", functionName: "accuse", args: [terms, evidence, signature] }); // prettier-ignore
    await loses(watcher, posted, isAccusation ? "server-0" : "client-1", "equivocation");
    // A game is ended by its sides, and neither of them plays here: the performance stays open.
    if (kind === "challenge") return;
    await on.pass(4 * DAY);
    await watcher.ended;
  });
});

describe("an answer", () => {
  /** The server has read what a client had signed, and the recorder lists what the client has signed beside it. */
  async function answered() {
    const posted = await on.staked();
    const [honest, own, listed] = [await made(posted), await made(posted, SECOND), await made(posted, SECOND)];
    const { roots, tensors } = await honest.state(honest.at(PLACE)!);
    await listed.blobs.put(tensors, roots);
    await listed.writeNote(PLACE, await honest.note(PLACE));
    Object.assign(listed.at(PLACE)!, honest.at(PLACE)!);
    own.marks.length = listed.marks.length = 0;
    await writeRecordLog(own);
    await on.post(posted, listed);
    return { posted, own, listed };
  }

  test("shows the signature that makes two with the record's", async () => {
    const { posted, own, listed } = await answered();
    const accuser = on.watch("client-0", posted, listed);
    const accused = on.watch("server-0", posted, own, { accuses: false });
    await loses(accuser, posted, "client-1", "equivocation");
    await on.until("its answer", () => accused.acts.includes("answer"));
    await on.pass(4 * DAY);
    expect(await accused.ended).toMatchObject({ lost: false });
    await accuser.ended;
  });

  test("leads a watch without any record to a demand, and what that shows to an equivocation", async () => {
    const { posted, own, listed } = await answered();
    const nobody = on.watch("stranger", posted, { folder: path("nothing") } as RoundsRecord);
    const accuser = new PostedRecord(listed).evidence({ round: 1, seat: 3 });
    const { signature } = listed.at({ round: 1, seat: 3 })!;
    await on.call("client-2", { contract: "roundManager", functionName: "accuse", args: [posted.terms, accuser, bytesToHex(signature)] }); // prettier-ignore
    const accused = on.watch("server-0", posted, own, { accuses: false });
    await on.until("a demand", () => nobody.acts.includes("demand"));
    const recorder = on.watch("recorder", posted, listed, { accuses: false });
    await loses(nobody, posted, "client-1", "equivocation");
    await on.until("what it shows", () => recorder.acts.includes("show"));
    await on.pass(4 * DAY);
    await Promise.all([nobody.ended, accused.ended, recorder.ended]);
  });
});

describe("evidence that is put beside the record while it is watched", () => {
  test("is shown: a second leaf of an owner", async () => {
    const { posted, listed, other } = await twice([], [SECOND]);
    const watcher = on.watch("client-0", posted, listed);
    await on.until("an audit", () => watcher.audited);
    const copy = await RoundsRecord.open(listed.folder);
    await keepEvidence(copy, { statements: [other.at(PLACE)!], rolls: [], marks: [] });
    await loses(watcher, posted, "client-1", "equivocation");
    await on.pass(2 * DAY);
    await watcher.ended;
  });

  test("is shown: the recorder's signature on another record", async () => {
    const { posted, listed } = await twice([], []);
    const watcher = on.watch("client-0", posted, listed);
    await on.until("an audit", () => watcher.audited);
    const rounds = on.plan.rounds + 1;
    const root = new Uint8Array(32).fill(7);
    const mark = { rounds, root, signature: signDigest(recordDigest(posted.instance, rounds, root), secretOf("recorder")) }; // prettier-ignore
    await keepEvidence(await RoundsRecord.open(listed.folder), { statements: [], rolls: [], marks: [mark] });
    await on.until("the recorder has lost", async () => (await on.convicted(posted)).length > 0);
    expect(await on.convicted(posted)).toEqual([["recorder", "record"]]);
    await on.until("it says so", () => watcher.acts.length > 0);
    expect(watcher.acts).toEqual(["misrecord"]);
    await on.pass(2 * DAY);
    await watcher.ended;
  });
});
