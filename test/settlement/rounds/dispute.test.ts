/** Records of rounds on a chain: the participant that loses there is the one that loses off the chain. */
import { describe, expect, test } from "vitest";
import { disputeRecords, parseRoundFault, type RoundsRecord } from "../../../src/rounds/index.ts";
import { disputeRecordOnChain, instanceOn, roundTermsOf } from "../../../src/settlement/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { performedRecord, stated } from "../../rounds/liars.ts";
import { smallPlan } from "../../rounds/small-plan.ts";

const path = temporaryFolder();
const plan = await smallPlan.close();
const honest = await performedRecord(plan, path("honest"));
let folders = 0;
const withFault = (texts: readonly string[], salt = 2): Promise<RoundsRecord> => {
  const faults = texts.map((text) => parseRoundFault(plan, text));
  return performedRecord(plan, path(`faulty-${folders++}`), faults, { salt });
};

/** Off the chain and on it, with the liar's record posted: participant, reason, step and operator of each. */
async function both(posted: RoundsRecord, other: RoundsRecord) {
  const off = await disputeRecords(posted, other);
  const on = await disputeRecordOnChain(posted, other);
  if (off.outcome !== "divergence" || on.outcome === "agree") throw new Error("the records agree");
  expect([on.round, on.seat]).toEqual([off.round, off.seat]);
  return { off, on };
}

describe("the loser on the chain is the one off the chain", () => {
  const cases: [fault: string, participant: string, reason: string][] = [
    ["participant=client-1,round=2,flip:step=1,operator=2,bit=22", "client-1", "operator"],
    ["participant=server-0,round=1,flip:step=0,operator=0,bit=22", "server-0", "operator"],
    ["participant=client-1,round=1,message:entry=0", "client-1", "message"],
    ["participant=server-0,round=2,message:entry=1", "server-0", "message"],
    ["participant=client-1,round=0,message:entry=0", "client-1", "message"],
    ["participant=server-0,round=1,aggregate:2", "server-0", "inputs"],
    ["participant=client-2,round=2,stale:0", "client-2", "inputs"],
  ];
  for (const [fault, participant, reason] of cases)
    test(fault, async () => {
      const { off, on } = await both(await withFault([fault]), honest);
      expect(on.blames).toMatchObject([{ participant, reason }]);
      const [{ location }] = off.blames;
      expect(on.blames.map((each) => [each.participant, each.reason, each.location])).toEqual([
        [participant, reason, location],
      ]);
    });
});

test("a challenger that lies loses its bond, and the honest owner nothing", async () => {
  const lie = await withFault(["participant=client-1,round=1,flip:step=1,operator=2,bit=22"]);
  const challenged = async () => (await both(honest, lie)).on.blames;
  expect(await challenged()).toMatchObject([{ participant: "challenger", reason: "operator" }]);
  // Neither does the owner lose by a fault in its leaf's file, which nobody has signed. This one changes no state.
  const place = { round: 1, seat: 1 };
  const fault = { kind: "flip", step: 2, operator: 1, element: 0, bit: 0 } as const;
  await honest.writeNote(place, { ...(await honest.note(place)), fault });
  expect(await challenged()).toMatchObject([{ participant: "challenger", reason: "operator" }]);
});

test("who can't answer loses by its clock", async () => {
  const liar = await withFault(["participant=client-1,round=1,message:entry=0"]);
  const place = { round: 1, seat: 1 };
  const { fault: _, ...note } = await liar.note(place);
  await liar.writeNote(place, note);
  const { on } = await both(liar, honest);
  expect(on.blames).toEqual([{ participant: "client-1", reason: "silence" }]);
});

test("two that lie at one leaf both lose", async () => {
  const [a, b] = [await withFault(["participant=client-1,round=1,message:entry=0"]), await withFault(["participant=client-1,round=1,message:entry=1"])]; // prettier-ignore
  const { on } = await both(a, b);
  const names = on.blames.map(({ participant }) => participant);
  expect(names).toContain("client-1");
});

describe("signatures", () => {
  test("the recorder that can't show an owner's signature loses", async () => {
    const framed = await withFault(["participant=client-1,round=1,message:entry=0"], 1);
    const place = { round: 1, seat: 1 };
    Object.assign(framed.at(place)!, stated(plan, framed.instance, place, framed.at(place)!, "recorder"));
    const { off, on } = await both(framed, honest);
    expect(off.blames).toMatchObject([{ participant: "recorder", reason: "unsigned" }]);
    expect(on.blames).toEqual([{ participant: "recorder", reason: "unsigned" }]);
  });

  test("who built on what a neighbour had signed is acquitted, and the neighbour that signed twice loses", async () => {
    const deceived = await withFault(["participant=client-1,round=1,message:entry=0"], 1);
    const [place, source] = [
      { round: 1, seat: 3 },
      { round: 1, seat: 1 },
    ];
    const shown = deceived.sources(place).map((statement) => ({ ...statement }));
    Object.assign(deceived.at(source)!, honest.at(source)!);
    await deceived.writeNote(source, await honest.note(source));
    const { roots, metrics } = await deceived.note(place);
    await deceived.writeNote(place, { roots, metrics, read: shown });
    const { off, on } = await both(deceived, honest);
    expect(off.blames[0]).toMatchObject({ participant: "client-1", reason: "equivocation" });
    expect(on.blames).toEqual([{ participant: "client-1", reason: "equivocation" }]);
    expect(on.moves.map(({ what }) => what).slice(-3)).toEqual(["accuse", "answer", "equivocate"]);
  });
});

test("records that agree need no chain", async () => {
  expect(await disputeRecordOnChain(honest, honest)).toEqual({ outcome: "agree", rounds: 3 });
});

test("terms about another plan are refused before anything is signed in them", async () => {
  const other = await smallPlan.close({ rate: 0.06 });
  const nobody = "0x0000000000000000000000000000000000000001";
  const choice = { client: nobody, salt: `0x${"00".repeat(32)}`, participants: Array(4).fill(nobody), recorder: nobody, game: nobody, stake: 1n, bond: 1n, reward: 1n, price: 1n, periods: { toJoin: 60, toRecord: 60, toChallenge: 60, toAnswer: 60 } } as const; // prettier-ignore
  const [terms, at] = [roundTermsOf(plan, choice), { chainId: 1, manager: nobody } as const];
  expect(instanceOn(plan, terms, at).owners).toHaveLength(4);
  expect(() => instanceOn(other, terms, at)).toThrow(expect.objectContaining({ code: "VERDE_ROUNDS_FOREIGN" }));
  const fewer = { ...terms, participants: terms.participants.slice(1) };
  expect(() => instanceOn(plan, fewer, at)).toThrow(expect.objectContaining({ code: "VERDE_ROUNDS_FOREIGN" }));
});
