/** Plans whose turns may miss members, on a chain: the loser there is the one off the chain (spec 7.15). */
import { describe, expect, test } from "vitest";
import { disputeRecords, parseRoundFault, type Roll, type RoundsRecord } from "../../../src/rounds/index.ts";
import type { LeafPlace } from "../../../src/rounds/plan.ts";
import { disputeRecordOnChain } from "../../../src/settlement/index.ts";
import { temporaryFolder } from "../../fixtures/folder.ts";
import { called, performedRecord, relisted } from "../../rounds/liars.ts";
import { membershipPlan } from "../../rounds/membership-plan.ts";

const path = temporaryFolder();
const plan = await membershipPlan.close({ rounds: 3 });
const away = ({ round, seat }: LeafPlace): boolean => round === 2 && seat === 1;
const honest = await performedRecord(plan, path("honest"), [], { away });
const all = await performedRecord(plan, path("all"), [], { salt: 2 });
const AT = { round: 2, turn: 0 };
let folders = 0;
const performed = (texts: readonly string[] = []): Promise<RoundsRecord> =>
  performedRecord(plan, path(`record-${folders++}`), texts.map((text) => parseRoundFault(plan, text)), { salt: 3, away }); // prettier-ignore
/** The record with another roll in the place of that of round 2. */
const replaced = async (by: (roll: Roll, record: RoundsRecord) => Roll): Promise<RoundsRecord> => {
  const record = await performed();
  return relisted(record, (roll) => [roll.round === AT.round ? by(roll, record) : roll]);
};
const bent = ({ signature, ...roll }: Roll): Roll => ({ ...roll, signature: signature.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) }); // prettier-ignore

/** Who loses off the chain by the posted record, and who on it. */
async function both(posted: RoundsRecord, other: RoundsRecord) {
  const off = await disputeRecords(posted, other);
  const on = await disputeRecordOnChain(posted, other);
  if (!("seat" in off && "seat" in on)) throw new Error("the records agree, or can't be compared");
  expect([on.round, on.seat]).toEqual([off.round, off.seat]);
  const own = off.blames.filter(({ record }) => record !== 1);
  return { off: own.map(({ participant, reason }) => [participant, reason]), on: on.blames.map(({ participant, reason }) => [participant, reason]), moves: on.moves.map(({ what }) => what) }; // prettier-ignore
}

describe("a participant", () => {
  const own = honest.reads({ round: 3, seat: 1 }).present.indexOf(0);
  test.each([
    ["participant=server-0,round=2,presence:1", "server-0", "inputs"],
    ["participant=server-0,round=2,presence:0", "server-0", "inputs"],
    ["participant=server-0,round=2,aggregate:1", "server-0", "inputs"],
    ["participant=server-0,round=2,stale:1", "server-0", "inputs"],
    [`participant=client-1,round=3,presence:${own}`, "client-1", "inputs"],
    ["participant=client-2,round=3,message:entry=0", "client-2", "message"],
    ["participant=client-1,round=1,message:entry=0", "client-1", "message"],
    ["participant=server-0,round=2,flip:step=0,operator=3,bit=22", "server-0", "operator"],
    ["participant=client-1,round=3,flip:step=1,operator=2,bit=22", "client-1", "operator"],
  ])("loses as off the chain: %s", async (fault, participant, reason) => {
    const { off, on } = await both(await performed([fault]), honest);
    expect(off).toEqual([[participant, reason]]);
    expect(on).toEqual(off);
  });

  test("that was absent, or that was there, loses nothing where performances differ in that", async () => {
    for (const pair of [[honest, all] as const, [all, honest] as const]) {
      const { off, on } = await both(...pair);
      expect([off, on]).toEqual([[], []]);
    }
  });

  test("that challenges a leaf which reads an absent member loses its bond, and the leaf's owner nothing", async () => {
    const lie = await performed(["participant=server-0,round=2,flip:step=0,operator=3,bit=22"]);
    const { on } = await both(honest, lie);
    expect(on).toEqual([["challenger", "operator"]]);
  });
});

describe("the recorder", () => {
  test("loses with fewer members than the quorum", async () => {
    const few = await performedRecord(plan, path("few"), [], { salt: 2, away: ({ round, seat }) => round === 2 && seat !== 0 }); // prettier-ignore
    const { off, on, moves } = await both(few, honest);
    expect(off).toEqual([["recorder", "roll"]]);
    expect(on).toEqual(off);
    expect(moves.at(-1)).toBe("missMany");
  });

  test.each([
    ["that it has not signed", bent],
    ["that somebody else has signed", (roll: Roll, record: RoundsRecord) => called(record.instance, roll, roll.present, "server-0")],
  ] as const)("loses with a roll %s: it can't show why a place has no leaf", async (_, by) => {
    const { off, on, moves } = await both(await replaced(by), all);
    expect(off).toContainEqual(["recorder", "unsigned"]);
    expect(on).toEqual([["recorder", "unsigned"]]);
    expect(moves.slice(-2)).toEqual(["demand", "lapse"]);
  }); // prettier-ignore

  /** It lists the leaf of the absent one after all, and a roll that says so. The server has read by the first. */
  const collusion = async (by: (roll: Roll) => Roll): Promise<RoundsRecord> => {
    const record = await performed();
    const late = { round: 2, seat: 1 };
    const other = await relisted(
      record,
      (roll) => [roll.round === AT.round ? by(called(record.instance, AT, [true, true, true])) : roll],
      [],
      [all.at(late)!],
    );
    await other.writeNote(late, await all.note(late));
    const { tensors, roots } = await all.state(all.at(late)!);
    await other.blobs.put(tensors, roots);
    return other;
  };

  test("loses with a second roll, that a reader of the first one shows", async () => {
    const { off, on, moves } = await both(await collusion((roll) => roll), all);
    expect(off).toEqual([["recorder", "equivocation"]]);
    expect(on).toEqual(off);
    expect(moves.slice(-3)).toEqual(["accuse", "answer", "callTwice"]);
  });

  test("loses if it has signed another roll than its record has, whose own roll nobody has signed", async () => {
    const { off, on, moves } = await both(await collusion(bent), all);
    expect(off).toEqual([["recorder", "unsigned"]]);
    expect(on).toEqual([["recorder", "roll"]]);
    expect(moves.slice(-3)).toEqual(["accuse", "answer", "miscall"]);
  });

  test("does not lose to a reader that shows no roll", async () => {
    const record = await collusion((roll) => roll);
    const place = { round: 2, seat: 3 };
    const { roots, metrics } = await record.note(place);
    await record.writeNote(place, { roots, metrics });
    const { off, on } = await both(record, all);
    expect(off).toEqual([["server-0", "inputs"]]);
    expect(on).toEqual(off);
  });
});
