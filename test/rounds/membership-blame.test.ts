/** Who loses about absences: each lie of a roll or of who reads it is named, and nobody honest is (spec 7.14). */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { auditRecord, disputeRecords, parseRoundFault, RoundsRecord, type Roll } from "../../src/rounds/index.ts";
import { checkRoll } from "../../src/rounds/participant.ts";
import type { LeafPlace } from "../../src/rounds/plan.ts";
import { isRecorders, rollDigest } from "../../src/rounds/roll.ts";
import { instanceOf } from "../../src/rounds/statement.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { called, performedRecord, relisted, testInstance } from "./liars.ts";
import { membershipPlan } from "./membership-plan.ts";

const path = temporaryFolder();
const plan = await membershipPlan.close({ rounds: 3 });
const away = ({ round, seat }: LeafPlace): boolean => round === 2 && seat === 1;
const honest = await performedRecord(plan, path("honest"), [], { away });
const AT = { round: 2, turn: 0 };
let folders = 0;
const performed = (texts: readonly string[] = [], salt = 2): Promise<RoundsRecord> =>
  performedRecord(plan, path(`record-${folders++}`), texts.map((text) => parseRoundFault(plan, text)), { salt, away }); // prettier-ignore
/** The rolls of a record with another one in the place of that of round 2. */
const replaced = (record: RoundsRecord, by: (roll: Roll) => readonly Roll[]) =>
  relisted(record, (roll) => (roll.round === AT.round ? by(roll) : [roll]));
const liarsOf = async (record: RoundsRecord) =>
  (await auditRecord(record)).liars.map(({ round, name, participant, reason }) => `${round} ${name} ${participant} ${reason}`); // prettier-ignore

describe("a roll", () => {
  test("is signed for its instance, round, turn and each member", () => {
    const instance = testInstance(plan);
    const roll = called(instance, AT, [true, false, true]);
    expect(isRecorders(instance, roll)).toBe(true);
    const others: Roll[] = [
      { ...roll, round: 3 },
      { ...roll, turn: 1 },
      ...[0, 1, 2].map((i) => ({ ...roll, present: roll.present.map((each, k) => (k === i ? !each : each)) })),
      { ...roll, present: [...roll.present, false] },
      ...[0, 40, 64].map((i) => ({ ...roll, signature: roll.signature.map((byte, k) => (k === i ? byte ^ 1 : byte)) })),
    ];
    const digests = others.slice(0, 6).map((each) => toHex(rollDigest(instance, each, each.present)));
    expect(new Set([...digests, toHex(rollDigest(instance, roll, roll.present))]).size).toBe(7);
    for (const [i, other] of others.entries()) expect(isRecorders(instance, other), `${i}`).toBe(false);
    expect(isRecorders(testInstance(plan, 2), roll)).toBe(false);
    const { id: _, ...parts } = instance;
    expect(isRecorders(instanceOf({ ...parts, recorder: instance.owners[0] }), roll)).toBe(false);
    expect(() => checkRoll({ plan, instance }, others[0])).toThrow("not signed by the recorder");
    expect(() => checkRoll({ plan, instance }, called(instance, AT, [true, false, false]))).toThrow("fewer members than the plan's quorum of 2"); // prettier-ignore
  });
});

describe("nobody is to blame", () => {
  test("for an absence, nor where performances differ in who was there", async () => {
    expect(await auditRecord(honest)).toMatchObject({ liars: [], unavailable: [], leaves: 15 });
    const all = await performedRecord(plan, path("all"), [], { salt: 2 });
    expect(await disputeRecords(honest, all)).toMatchObject({ outcome: "divergence", round: 2, name: "local-1", losers: [], blames: [], absent: [0] }); // prettier-ignore
    expect(await disputeRecords(all, honest)).toMatchObject({ losers: [], blames: [], absent: [1] });
    expect(await disputeRecords(honest, await performed())).toEqual({ outcome: "agree", rounds: 4 });
  });
});

describe("a participant", () => {
  // The server reads the clients, and each client the server and itself.
  const own = honest.reads({ round: 3, seat: 1 }).present.indexOf(0);
  test.each([
    ["participant=server-0,round=2,presence:1", "2 merge-0 server-0 inputs"],
    ["participant=server-0,round=2,presence:0", "2 merge-0 server-0 inputs"],
    ["participant=server-0,round=2,aggregate:1", "2 merge-0 server-0 inputs"],
    ["participant=server-0,round=2,stale:1", "2 merge-0 server-0 inputs"],
    [`participant=client-1,round=3,presence:${own}`, "3 local-1 client-1 inputs"],
    ["participant=client-2,round=3,message:entry=0", "3 local-2 client-2 message"],
    ["participant=client-1,round=1,message:entry=0", "1 local-1 client-1 message"],
  ])("that reads an absent member as present, or lies beside one, is named: %s", async (fault, expected) => {
    const record = await performed([fault]);
    expect(await liarsOf(record)).toEqual([expected]);
    const participant = expected.split(" ")[2];
    expect(await disputeRecords(honest, record)).toMatchObject({ losers: [1], absent: [], blames: [{ participant }] });
  });

  test("whose last leaf stands may have lied in it, and who reads that is not to blame", async () => {
    const record = await performed(["participant=client-1,round=1,message:entry=0,bit=22"]);
    expect(record.reads({ round: 2, seat: 3 }).places[1]).toEqual({ round: 1, seat: 1 });
    expect(await liarsOf(record)).toEqual(["1 local-1 client-1 message"]);
  });
});

describe("the recorder", () => {
  const cases: [what: string, rolls: (record: RoundsRecord, roll: Roll) => readonly Roll[], expected: string[]][] = [
    ["signs two rolls", (record, roll) => [roll, called(record.instance, AT, [true, true, true])], ["2 local recorder equivocation"]],
    ["lists a roll that it has not signed", (_, roll) => [{ ...roll, signature: roll.signature.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) }], ["2 local recorder unsigned"]],
    ["lists a roll of another", (record, roll) => [called(record.instance, roll, roll.present, "server-0")], ["2 local recorder unsigned"]],
    ["calls absent who has delivered, whose leaf it lists", (record) => [called(record.instance, AT, [true, false, false])], ["2 merge-0 recorder equivocation", "3 local-2 recorder equivocation", "2 local recorder roll"]],
    ["calls present who has not delivered", (record) => [called(record.instance, AT, [true, true, true])], ["2 local recorder roll"]],
    ["has no roll", () => [], ["2 merge-0 recorder roll", "3 local-0 recorder roll", "3 local-1 recorder roll", "3 local-2 recorder roll"]],
  ]; // prettier-ignore
  test.each(cases)("loses that %s, and who read another roll does not", async (_, rolls, expected) => {
    const record = await performed();
    expect(await liarsOf(await replaced(record, (roll) => rolls(record, roll)))).toEqual(expected);
  });

  test("loses by the mark of a round that lacks its roll, or was signed for another list", async () => {
    const record = await performed();
    const lacking = await relisted(record, (roll) => (roll.round === 3 ? [] : [roll]), record.marks);
    expect(await liarsOf(lacking)).toEqual(["3 merge-0 recorder roll", "3 local recorder roll"]);
    // The same leaves, and a roll that calls one of them absent.
    const other = await relisted(record, (roll) => (roll.round === 3 ? [called(record.instance, roll, [true, true, false])] : [roll]), record.marks); // prettier-ignore
    expect(await liarsOf(other)).toEqual(["3 merge-0 recorder equivocation", "3 local recorder roll", "3 record recorder record"]); // prettier-ignore
    expect(await disputeRecords(record, other)).toMatchObject({ losers: [1], absent: [1], blames: [{ participant: "recorder", reason: "roll", record: 1 }, { reason: "equivocation", record: undefined }] }); // prettier-ignore
  });

  test("loses with fewer members than the quorum, though all read that roll", async () => {
    const few = await performedRecord(plan, path("few"), [], { salt: 2, away: ({ round, seat }) => round === 2 && seat !== 0 }); // prettier-ignore
    expect(await liarsOf(few)).toEqual(["2 local recorder roll"]);
    expect(await disputeRecords(honest, few)).toMatchObject({ losers: [1], blames: [{ participant: "recorder", reason: "roll" }] }); // prettier-ignore
  });

  test("that lists a leaf for who was away, in the name of its owner or without, loses to who read its first roll", async () => {
    const all = await performedRecord(plan, path("forged"), [], { salt: 2 });
    const record = await performed();
    // It has the absent one's leaf after all, and says so in a second roll.
    const collusion = await relisted(record, (roll) => (roll.round === 2 ? [called(record.instance, roll, [true, true, true])] : [roll]), [], [all.at({ round: 2, seat: 1 })!]); // prettier-ignore
    await collusion.writeNote({ round: 2, seat: 1 }, await all.note({ round: 2, seat: 1 }));
    await collusion.blobs.put(...(await all.state(all.at({ round: 2, seat: 1 })!).then(({ tensors, roots }) => [tensors, roots] as const))); // prettier-ignore
    const expected = ["2 merge-0 recorder equivocation", "3 local-1 recorder equivocation"];
    expect(await liarsOf(collusion)).toEqual(expected);
    const statement = { ...all.at({ round: 2, seat: 1 })!, signature: all.at({ round: 2, seat: 2 })!.signature };
    const forged = await relisted(record, (roll) => (roll.round === 2 ? [called(record.instance, roll, [true, true, true])] : [roll]), [], [statement]); // prettier-ignore
    expect(await liarsOf(forged)).toEqual(["2 local-1 recorder unsigned", ...expected]);
  });

  test("and a reader that shows nothing, or what is no roll, loses for what it read itself", async () => {
    const record = await performed();
    const swapped = await replaced(record, (roll) => [called(record.instance, roll, [true, false, false])]);
    const place = { round: 2, seat: 3 };
    const { roots, metrics, read, rolls } = await swapped.note(place);
    expect(await liarsOf(swapped)).toContain("2 merge-0 recorder equivocation");
    const forged = rolls!.map((roll) => ({ ...roll, signature: roll.signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte)) })); // prettier-ignore
    const shows = [{}, { read }, { rolls }, { read, rolls: forged }, { read, rolls: [{ ...rolls![0], present: [true] }] }, { read, rolls: 7 }]; // prettier-ignore
    for (const shown of shows) {
      await swapped.writeNote(place, { roots, metrics, ...(shown as object) });
      expect(await liarsOf(swapped), JSON.stringify(Object.keys(shown))).toContain("2 merge-0 server-0 inputs");
    }
  });
});
