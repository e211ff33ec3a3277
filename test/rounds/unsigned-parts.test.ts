/** What nobody has signed in a record: a first state without steps, the file of a leaf. It gets nobody honest blamed. */
import { afterAll, describe, expect, test } from "vitest";
import { sha256 } from "../../src/encoding/hash.ts";
import type { StateRoot } from "../../src/encoding/tensor.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import type { Muster } from "../../src/rounds/crew.ts";
import { auditRecord, disputeRecords, type LeafFault, runRounds } from "../../src/rounds/index.ts";
import { statesRead } from "../../src/rounds/judge.ts";
import { LeafRunner, sameClaim } from "../../src/rounds/leaf.ts";
import { isOwners, type Statement } from "../../src/rounds/statement.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord, stated, testInstance } from "./liars.ts";
import { smallPlan } from "./small-plan.ts";

const path = temporaryFolder();
const plan = await smallPlan.close({ rounds: 1 });
const runner = new LeafRunner(wasm);
afterAll(() => runner.close());
/** Seats 0 to 2 train, and seat 3 takes the mean, without steps. */
const [LOCAL, MERGE] = [
  { round: 1, seat: 1 },
  { round: 1, seat: 3 },
];
const OTHER = sha256(new Uint8Array(1)) as Uint8Array as StateRoot;
const flip = (step: number, operator = 0): LeafFault => ({ kind: "flip", step, operator, element: 0, bit: 20 });

describe("the first state of a leaf without steps, which is in no run root", () => {
  test("blames nobody when the recorder lists another one", async () => {
    const record = await performedRecord(plan, path("listed"));
    const leaf = record.at(MERGE)!;
    const altered = { ...leaf, start: OTHER };
    expect(isOwners(plan, record.instance, altered)).toBe(true);
    expect(sameClaim(plan, MERGE, leaf, altered)).toBe(true);
    Object.assign(leaf, altered);
    expect(await auditRecord(record, { backend: wasm })).toMatchObject({ leaves: 8, executed: 8, liars: [], unavailable: [] }); // prettier-ignore
  });

  test("is no second statement of an honest source that somebody shows", async () => {
    const [own, place] = [
      { round: 0, seat: 0 },
      { round: 1, seat: 0 },
    ];
    const record = await performedRecord(plan, path("shown"));
    // client-0 has signed its initial state twice, and goes on from the one that the record does not list.
    const preferred = await runner.run(plan, own, [], { fault: flip(0) });
    const second = stated(plan, record.instance, own, preferred);
    const server = record.at({ round: 0, seat: 3 })!;
    const states = [await record.state(server), { roots: preferred.roots, tensors: preferred.state }];
    const made = await runner.run(plan, place, states);
    await record.blobs.put(made.state, made.roots);
    Object.assign(record.at(place)!, stated(plan, record.instance, place, made));
    await record.writeNote(place, { roots: made.roots, metrics: [], read: [{ ...server, start: OTHER }, second] });
    const { liars } = await auditRecord(record, { backend: wasm });
    expect(liars.filter(({ name }) => name === "local-0")).toMatchObject([{ participant: "client-0", reason: "equivocation" }]); // prettier-ignore
  });
});

describe("a first state of zeros, which no contract can be shown", () => {
  const zero = new Uint8Array(32) as StateRoot;

  test("counts as not signed where there are steps: whoever lists it is wrong, and nobody reads it", async () => {
    const record = await performedRecord(plan, path("zeros"));
    const leaf = stated(plan, record.instance, LOCAL, { ...record.at(LOCAL)!, start: zero });
    expect(isOwners(plan, record.instance, leaf)).toBe(false);
    Object.assign(record.at(LOCAL)!, leaf);
    const { liars } = await auditRecord(record, { backend: wasm });
    expect(liars.filter(({ name }) => name === "local-1")).toMatchObject([{ participant: "recorder", reason: "unsigned" }]); // prettier-ignore
  });

  test("says nothing where there are none", async () => {
    const record = await performedRecord(plan, path("zeros-without-steps"));
    const leaf = stated(plan, record.instance, MERGE, { ...record.at(MERGE)!, start: zero });
    expect(isOwners(plan, record.instance, leaf)).toBe(true);
  });

  test("is not admitted by a recorder", async () => {
    let refused: Statement | undefined;
    const participants: Muster = {
      owners: testInstance(plan).owners,
      crew: async (record) => ({
        together: false,
        perform: async (place) => {
          const made = await runner.run(plan, place, await statesRead(record, place));
          const claim = place.round === 1 ? { ...made, start: zero } : made;
          await record.blobs.put(made.state, made.roots);
          await record.writeNote(place, { roots: made.roots, metrics: [] });
          refused = stated(plan, record.instance, place, claim);
          return { statement: refused, metrics: {} };
        },
        close: async () => {},
      }),
    };
    const run = runRounds(plan, { participants, out: path("refused"), state: path("keys") });
    await expect(run).rejects.toThrow("client-0 sent a statement of local-0 in round 1 that it has not signed");
    expect(refused).toMatchObject({ round: 1, seat: 0, start: zero });
  });
});

describe("the fault in the file of a liar's own leaf", () => {
  test.each([
    ["a negative bit", { kind: "flip", step: 1, operator: 0, element: -1, bit: -1 }],
    ["a text", { kind: "flip", step: "x", operator: 0, element: "y", bit: "z" }],
    ["half an element", { kind: "message", entry: 0, element: 0.5, bit: 0.5 }],
    ["an entry that is no number", { kind: "message", entry: "length", element: 0, bit: 0 }],
    ["half a step", { kind: "steps", count: 0.5 }],
    ["a source that is no number", { kind: "stale", source: "length" }],
    ["no fault at all", "flip"],
  ])("may be malformed (%s), and the audit still names the liar", async (name, fault) => {
    const lie = await performedRecord(plan, path(name.replaceAll(" ", "-")), [{ ...LOCAL, fault: flip(2, 24) }]);
    await lie.writeNote(LOCAL, { ...(await lie.note(LOCAL)), fault: fault as LeafFault });
    expect((await auditRecord(lie, { backend: wasm })).liars).toMatchObject([{ participant: "client-1" }]);
  });
});

describe("a fault in the file of an honest leaf", () => {
  const masked: LeafFault = { kind: "flip", step: 2, operator: 1, element: 0, bit: 0 };

  test("may change nothing that is handed on", async () => {
    const record = await performedRecord(plan, path("masked"), [{ ...LOCAL, fault: masked }]);
    const right = await runner.run(plan, LOCAL, await statesRead(record, LOCAL));
    expect(sameClaim(plan, LOCAL, record.at(LOCAL)!, right)).toBe(true);
  });

  test("does not make its owner lose against a lie", async () => {
    const honest = await performedRecord(plan, path("honest"));
    const lie = await performedRecord(plan, path("lie"), [{ ...LOCAL, fault: flip(2, 24) }], { salt: 2, from: honest });
    for (const fault of [masked, flip(1), { kind: "steps", count: 0 } as const]) {
      await honest.writeNote(LOCAL, { ...(await honest.note(LOCAL)), fault });
      const found = await disputeRecords(honest, lie, { backend: wasm });
      expect(found).toMatchObject({ losers: [1], blames: [{ record: 1, participant: "client-1", reason: "operator", location: { step: 2, operator: { number: 24 } } }] }); // prettier-ignore
    }
  });
});
