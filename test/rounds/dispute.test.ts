/** Who loses: each fault is found at its participant and round, and nobody honest is blamed (spec 7.14). */
import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { signDigest } from "../../src/claims/signature.ts";
import { sha256 } from "../../src/encoding/hash.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsRecord } from "../../src/rounds/index.ts";
import { Blobs } from "../../src/rounds/blobs.ts";
import { LeafRunner } from "../../src/rounds/leaf.ts";
import { sourcesOf } from "../../src/rounds/plan.ts";
import { recordDigest } from "../../src/rounds/statement.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord, stated } from "./liars.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const plan = await smallPlan.close();
const honest = await performedRecord(plan, path("honest"));
let folders = 0;
/** A record in which somebody lies: of another performance, or with the salt 1 of the honest one. */
const withFault = (texts: readonly string[], salt = 2): Promise<RoundsRecord> => {
  const faults = texts.map((text) => parseRoundFault(plan, text));
  return performedRecord(plan, path(`faulty-${folders++}`), faults, { salt });
};

/** Both ways round, and the audit of the record that lies. */
async function found(liar: RoundsRecord) {
  const [first, second] = [await disputeRecords(honest, liar), await disputeRecords(liar, honest)];
  if (first.outcome !== "divergence" || second.outcome !== "divergence") throw new Error("the records agree");
  expect(second.losers).toEqual(first.losers.map((side) => 1 - side));
  const { liars, unavailable } = await auditRecord(liar);
  expect(unavailable).toEqual([]);
  return { dispute: first, liars };
}

describe("a fault is found at its participant, round and operator", () => {
  const cases: [fault: string, expected: object][] = [
    ["participant=client-1,round=2,flip:step=1,operator=2,bit=22", { round: 2, participant: "client-1", reason: "operator", step: 1 }],
    ["participant=client-2,round=1,flip:step=2,operator=2,bit=29", { round: 1, participant: "client-2", reason: "operator", step: 2 }],
    ["participant=client-0,round=1,steps:1", { round: 1, participant: "client-0", reason: "message", step: 2 }],
    ["participant=client-0,round=2,steps:0", { round: 2, participant: "client-0", reason: "operator", step: 1 }],
    ["participant=client-1,round=1,message:entry=0", { round: 1, participant: "client-1", reason: "message", step: 2 }],
    ["participant=server-0,round=2,message:entry=1", { round: 2, participant: "server-0", reason: "message", step: 0 }],
    ["participant=server-0,round=1,flip:step=0,operator=0,bit=22", { round: 1, participant: "server-0", reason: "operator", step: 0 }],
    ["participant=server-0,round=1,aggregate:2", { round: 1, participant: "server-0", reason: "inputs" }],
    ["participant=client-2,round=2,stale:0", { round: 2, participant: "client-2", reason: "inputs" }],
    ["participant=client-1,round=0,message:entry=0", { round: 0, participant: "client-1", reason: "message", step: 0 }],
  ]; // prettier-ignore
  for (const [fault, expected] of cases)
    test(fault, async () => {
      const { dispute, liars } = await found(await withFault([fault]));
      const of = ({ participant, reason, location }: (typeof dispute.blames)[number] | (typeof liars)[number], round: number) => ({ round, participant, reason, ...(location && { step: location.step }) }); // prettier-ignore
      expect(dispute.losers).toEqual([1]);
      expect(dispute.blames.map((blame) => of(blame, dispute.round))).toEqual([expected]);
      expect(liars.map((liar) => of(liar, liar.round))).toEqual([expected]);
      const [{ location, reason }] = liars;
      if (reason === "operator" && fault.includes("flip")) {
        const { round, seat } = parseRoundFault(plan, fault);
        const operator = Number(/operator=(\d+)/.exec(fault)![1]);
        const { step, init } = plan.templates[plan.seats[seat].template].round;
        expect(location!.operator!.number, `round ${round}`).toBe(operator);
        expect(location!.operator!.label).toBe((fault.includes("step=0") ? init : step).labels[operator]);
      }
    });

  test("and of several liars in one round the audit names each, and nobody who built on them", async () => {
    const faults = ["participant=client-0,round=1,message:entry=0", "participant=client-2,round=1,steps:1", "participant=server-0,round=2,aggregate:0"]; // prettier-ignore
    const { dispute, liars } = await found(await withFault(faults));
    expect(dispute.blames.map(({ participant }) => participant)).toEqual(["client-0"]);
    expect(liars.map(({ round, participant, reason }) => [round, participant, reason])).toEqual([
      [1, "client-0", "message"],
      [1, "client-2", "message"],
      [2, "server-0", "inputs"],
    ]);
  });

  test("and two records that lie at one leaf both lose", async () => {
    const [a, b] = [await withFault(["participant=client-1,round=1,message:entry=0"]), await withFault(["participant=client-1,round=1,steps:1"])]; // prettier-ignore
    const result = await disputeRecords(a, b);
    expect(result).toMatchObject({ outcome: "divergence", losers: [0, 1], round: 1, name: "local-1" });
  });

  test("and where the liar does not answer, a replay says who is right", async () => {
    const liar = await withFault(["participant=client-1,round=1,message:entry=0"]);
    const place = { round: 1, seat: 1 };
    const { fault: _, ...note } = await liar.note(place);
    await liar.writeNote(place, note);
    const result = await disputeRecords(honest, liar);
    expect(result).toMatchObject({ losers: [1], blames: [{ participant: "client-1", reason: "operator" }] });
  });
});

describe("bits that are no vf32", () => {
  test("are read as canon makes them, on each backend, and nobody who read them is to blame", async () => {
    // The bias is 0 at first, and bit 3 of it makes a subnormal.
    const bias = plan.templates[plan.seats[3].template].round.step.outputs.findIndex(
      ({ name }) => name === "line.bias",
    );
    const faults = [parseRoundFault(plan, `participant=server-0,round=0,message:entry=${bias},bit=3`)];
    const records = [await performedRecord(plan, path("subnormal"), faults), await performedRecord(plan, path("subnormal-slow"), faults, { backend: reference })]; // prettier-ignore
    const [fast, slow] = records;
    expect(await disputeRecords(fast, slow)).toEqual({ outcome: "agree", rounds: 3 });
    for (const backend of [wasm, reference])
      expect((await auditRecord(fast, { backend })).liars).toMatchObject([{ participant: "server-0", round: 0 }]);
    // A lie of somebody who read them is located in the ordinary way.
    const second = [...faults, parseRoundFault(plan, "participant=client-0,round=1,message:entry=0")];
    const lying = await performedRecord(plan, path("subnormal-lie"), second, { salt: 2 });
    expect(await disputeRecords(fast, lying)).toMatchObject({ losers: [1], round: 1, blames: [{ participant: "client-0", reason: "message" }] }); // prettier-ignore
  });
});

describe("equal records", () => {
  test("agree, also of another performance, and as far as both go", async () => {
    const again = await performedRecord(plan, path("again"), [], { salt: 2 });
    expect(await disputeRecords(honest, again)).toEqual({ outcome: "agree", rounds: 3 });
    expect(await auditRecord(again)).toMatchObject({ leaves: 12, executed: 12, liars: [], unavailable: [] });
    const other = await performedRecord(await smallPlan.close({ rate: 0.06 }), path("foreign"));
    await expect(disputeRecords(honest, other)).rejects.toMatchObject({ code: "VERDE_ROUNDS_FOREIGN" });
  });
});

describe("signatures", () => {
  test("a leaf that its owner has not signed is the recorder's lie, and not the owner's", async () => {
    const framed = await performedRecord(plan, path("framed"));
    const place = { round: 1, seat: 1 };
    const right = framed.at(place)!;
    const runner = new LeafRunner(wasm);
    const states = [];
    for (const source of framed.sources(place)) states.push(await framed.state(source));
    const wrong = await runner.run(plan, place, states, { fault: { kind: "steps", count: 1 } });
    await runner.close();
    Object.assign(right, stated(plan, framed.instance, place, wrong, "recorder"));
    const result = await disputeRecords(honest, framed);
    expect(result).toMatchObject({ losers: [1], blames: [{ participant: "recorder", reason: "unsigned" }] });
    const { liars } = await auditRecord(framed);
    expect(liars.filter(({ round }) => round === 1)).toMatchObject([
      { participant: "recorder", reason: "unsigned", name: "local-1" },
      { participant: "server-0", reason: "inputs" },
      { participant: "recorder", reason: "record" },
    ]);
  });

  test("a statement of another performance does not count in this one", async () => {
    const replayed = await performedRecord(plan, path("replayed"));
    const other = await performedRecord(plan, path("replayed-from"), [], { salt: 9 });
    const place = { round: 2, seat: 0 };
    Object.assign(replayed.at(place)!, { signature: other.at(place)!.signature });
    const { liars } = await auditRecord(replayed);
    expect(liars).toMatchObject([{ round: 2, participant: "recorder", reason: "unsigned" }]);
  });

  test("two statements for one place convict their signer, in one record and between two", async () => {
    const twice = await performedRecord(plan, path("twice"));
    const lie = await withFault(["participant=client-1,round=1,message:entry=0"], 1);
    const place = { round: 1, seat: 1 };
    twice.admit(lie.at(place)!);
    const { liars } = await auditRecord(twice);
    expect(liars).toMatchObject([{ round: 1, participant: "client-1", reason: "equivocation" }]);
    const result = await disputeRecords(honest, lie);
    expect(result.outcome === "divergence" && result.blames).toMatchObject([
      { record: 1, participant: "client-1", reason: "message" },
      { record: undefined, participant: "client-1", reason: "equivocation" },
    ]);
  });

  test("who built on what a neighbour had signed shows that, and the neighbour loses", async () => {
    const deceived = await withFault(["participant=client-1,round=1,message:entry=0"], 1);
    const [place, source] = [
      { round: 1, seat: 3 },
      { round: 1, seat: 1 },
    ];
    // The record lists the honest leaf, but the server was given the other one, which is signed as well.
    const shown = deceived.sources(place).map((statement) => ({ ...statement }));
    Object.assign(deceived.at(source)!, honest.at(source)!);
    await deceived.writeNote(source, await honest.note(source));
    const { roots, metrics } = await deceived.note(place);
    expect((await auditRecord(deceived)).liars.filter(({ round }) => round === 1)).toMatchObject([{ participant: "server-0", reason: "inputs" }, { reason: "record" }]); // prettier-ignore
    await deceived.writeNote(place, { roots, metrics, read: shown });
    expect((await auditRecord(deceived)).liars.filter(({ round }) => round === 1)).toMatchObject([{ participant: "client-1", reason: "equivocation" }, { reason: "record" }]); // prettier-ignore
    // A signature for another place, or another job, is no excuse.
    for (const read of [[...shown].reverse(), shown.slice(1), deceived.sources(place)]) {
      await deceived.writeNote(place, { roots, metrics, read });
      expect((await auditRecord(deceived)).liars.filter(({ round }) => round === 1)).toMatchObject([{ participant: "server-0" }, { reason: "record" }]); // prettier-ignore
    }
    expect(sourcesOf(plan, place)).toHaveLength(3);
  });

  test("and where the recorder lists what the neighbour has not signed, the recorder loses alone", async () => {
    const framed = await performedRecord(plan, path("framed-source"));
    const [place, source] = [
      { round: 1, seat: 3 },
      { round: 1, seat: 1 },
    ];
    const shown = framed.sources(place).map((statement) => ({ ...statement }));
    const lie = await withFault(["participant=client-1,round=1,message:entry=0"], 1);
    Object.assign(framed.at(source)!, stated(plan, framed.instance, source, lie.at(source)!, "recorder"));
    await framed.writeNote(source, await lie.note(source));
    await framed.writeNote(place, { ...(await framed.note(place)), read: shown });
    const { liars } = await auditRecord(framed);
    expect(new Set(liars.filter(({ round }) => round === 1).map(({ participant }) => participant))).toEqual(
      new Set(["recorder"]),
    );
  });

  test("a mark that the recorder has not signed blames nobody", async () => {
    const marked = await performedRecord(plan, path("marked"));
    const root = new Uint8Array(32);
    const signature = signDigest(recordDigest(marked.instance, 1, root), sha256(new Uint8Array(1)));
    marked.marks.push({ rounds: 1, root, signature });
    expect((await auditRecord(marked)).liars).toEqual([]);
  });
});

describe("what is not at hand", () => {
  test("is said, and nobody is blamed for it", async () => {
    const gone = await performedRecord(plan, path("gone"));
    rmSync(path("gone/blobs"), { recursive: true });
    const { liars, unavailable } = await auditRecord(Object.assign(gone, { blobs: new Blobs(path("gone/blobs")) }));
    expect(liars).toEqual([]);
    expect(unavailable.length).toBeGreaterThan(0);
    const lie = await withFault(["participant=client-1,round=1,message:entry=0"]);
    rmSync(`${lie.folder}/blobs`, { recursive: true });
    const lost = Object.assign(lie, { blobs: new Blobs(`${lie.folder}/blobs`) });
    expect(await disputeRecords(gone, lost)).toMatchObject({ outcome: "divergence", losers: [], blames: [] });
    // One of the two is enough.
    expect(await disputeRecords(honest, lost)).toMatchObject({ losers: [1], blames: [{ participant: "client-1" }] });
  });
});
