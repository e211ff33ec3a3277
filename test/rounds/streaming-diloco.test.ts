/** Streaming DiLoCo: when each part of the weights is merged, against float64, and drills. */
import { expect, test } from "vitest";
import { byteLength } from "../../src/encoding/tensor.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type RoundsDefinition, type RoundsRecord } from "../../src/rounds/index.ts"; // prettier-ignore
import { stateOf as stateTypes } from "../../src/rounds/template.ts";
import type * as Example from "../../examples/rounds/streaming-diloco.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: definition, partsOf } = (await import("../../examples/rounds/streaming-diloco.ts")) as typeof Example & { default: RoundsDefinition }; // prettier-ignore
const SMALL = { workers: 2, parts: 2, inner: 3, dim: 8, context: 8, batch: 2, rounds: 2 };

async function stateOf(record: RoundsRecord, round: number, turn: string, member = 0) {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn && each.member === member);
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { outputs } = plan.templates[plan.seats[seat].template].round.step;
  return new Map(outputs.map(({ name }, i) => [name, tensors[i].data]));
}

test("has the sizes of messages that docs/schemes.md states", async () => {
  const { turns, seats, templates } = await definition.close({});
  const bytesOf = (turn: string) => {
    const { template } = seats.find((seat) => turns[seat.turn].name === turn)!;
    return stateTypes(templates[template]).reduce((sum, type) => sum + byteLength(type), 0);
  };
  expect(["send0", "merged0", "send1", "merged1"].map(bytesOf)).toEqual([61_440, 61_440, 59_264, 59_264]);
});

test("has as many segments as parts", async () => {
  const namesOf = async (parts: number) => (await definition.close({ ...SMALL, parts })).turns.map(({ name }) => name);
  const segment = (part: number) => ["local", "send", "outer", "merged", "mixed"].map((name) => `${name}${part}`);
  for (const parts of [1, 3]) expect(await namesOf(parts)).toEqual(Array.from({ length: parts }, (_, part) => segment(part)).flat()); // prettier-ignore
});

test("merges each part after its own segment, one segment late, and finds its liars", async () => {
  const plan = await definition.close(SMALL);
  const record = await performedRecord(plan, path("honest"));
  const mixedOf = await stateOf(record, 1, "mixed0");
  const names = [...mixedOf.keys()];
  const types = names.map((name) => ({ name, shape: [mixedOf.get(name)!.length] }));
  const chosen = partsOf(types, 2);
  const partOf = (name: string) => chosen.get(name)!;
  const sizes = [0, 1].map((part) => types.filter(({ name }) => partOf(name) === part).reduce((sum, { shape }) => sum + shape[0], 0)); // prettier-ignore
  expect(Math.abs(sizes[0] - sizes[1])).toBeLessThan(0.1 * (sizes[0] + sizes[1]));
  const near = (found: ArrayLike<number>, wanted: (i: number) => number, what: string) =>
    Array.from(found).forEach((x, i) => expect(Math.abs(x - wanted(i)), what).toBeLessThan(1e-6));

  // Nothing has come before the first segment, and its weights and moments continue in the second.
  const [first, mixed] = [await stateOf(record, 1, "local0", 1), await stateOf(record, 1, "mixed0", 1)];
  for (const name of names) expect(mixed.get(name), name).toEqual(first.get(name));
  const step = async (round: number, turn: string) => (await stateOf(record, round, turn)).get("step")![0];
  expect([await step(1, "local0"), await step(1, "local1"), await step(2, "local0"), await step(2, "local1")]).toEqual([3, 6, 9, 12]); // prettier-ignore

  for (const [segment, merged, from] of [
    [0, 1, 1],
    [1, 0, 2],
  ]) {
    const [mine, after] = [await stateOf(record, 2, `local${segment}`, 1), await stateOf(record, 2, `mixed${segment}`, 1)]; // prettier-ignore
    const outer = await stateOf(record, from, `outer${merged}`);
    for (const name of names)
      near(after.get(name)!, (i) => (partOf(name) === merged ? (mine.get(name)![i] + outer.get(name)![i]) / 2 : mine.get(name)![i]), name); // prettier-ignore
    const sent = await Promise.all([0, 1].map((member) => stateOf(record, 2, `send${segment}`, member)));
    expect([...sent[0].keys()]).toEqual(names.filter((name) => partOf(name) === segment));
    const [old, made] = [await stateOf(record, 1, `outer${segment}`), await stateOf(record, 2, `outer${segment}`)];
    // The server hands on its own values of the part, and nothing else.
    expect(await stateOf(record, 2, `merged${segment}`)).toEqual(new Map([...sent[0].keys()].map((name) => [name, made.get(name)!]))); // prettier-ignore
    for (const name of sent[0].keys()) {
      const [w, b] = [old.get(name)!, old.get(`momentum/${name}`)!];
      const slope = (i: number) => sent.reduce((sum, each) => sum + (w[i] - each.get(name)![i]) / 2, 0);
      near(made.get(`momentum/${name}`)!, (i) => 0.9 * b[i] + slope(i), name);
      near(made.get(name)!, (i) => w[i] - 0.7 * (slope(i) + 0.9 * (0.9 * b[i] + slope(i))), name);
      expect(made.get(name), name).not.toEqual(w);
    }
  }

  const drills = [
    ["fewer steps", "participant=worker-1,round=2,turn=local1,steps:1", "local1-1", { reason: "operator", location: { step: 2 } }],
    ["another part is sent", "participant=worker-0,round=2,turn=send0,message:entry=1,bit=22", "send0-0", { reason: "message" }],
    ["a worker is left out", "participant=server-0,round=2,turn=outer1,aggregate:1", "outer1-0", { reason: "inputs" }],
    ["another part is merged", "participant=server-0,round=2,turn=merged0,message:entry=1,bit=22", "merged0-0", { reason: "message" }],
    ["an older part is merged", "participant=worker-1,round=2,turn=mixed1,stale:1", "mixed1-1", { reason: "inputs" }],
  ] as const; // prettier-ignore
  for (const [i, [what, text, name, blame]] of drills.entries()) {
    const drill = await performedRecord(plan, path(`drill-${i}`), [parseRoundFault(plan, text)], { salt: 2, from: record }); // prettier-ignore
    const participant = text.slice("participant=".length, text.indexOf(","));
    expect(await disputeRecords(record, drill), what).toMatchObject({ losers: [1], round: 2, name, blames: [{ participant, ...blame }] }); // prettier-ignore
    if (i === 0) expect((await auditRecord(drill)).liars.map((liar) => liar.participant)).toEqual([participant]);
  }
});
