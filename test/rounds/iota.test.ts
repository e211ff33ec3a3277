/** IOTA's butterfly: its mean against float64, its check beside ours on the same cheats. */
import { describe, expect, test } from "vitest";
import { evaluate, tensor } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { disputeRecords, parseRoundFault, type RoundsDefinition, type RoundsRecord } from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
const iota = (await import("../../examples/rounds/iota.ts")) as {
  default: RoundsDefinition;
  compare(a: Value, b: Value): Record<"cosine" | "ratio" | "passes" | "differ", Value>;
  pairsOf(miners: number): [number, number][];
};

test("each pair of miners has one shard", () => {
  expect(iota.pairsOf(4)).toEqual([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]); // prettier-ignore
});

describe("the check of norms and cosine", () => {
  // A row of 64 numbers, and what cheats make of it. The noise has 5 % of each number, up or down.
  const honest = Array.from({ length: 64 }, (_, i) => Math.sin(i + 1));
  test.each([
    ["the same", honest, 1, 0],
    ["noise of 5 %", honest.map((x, i) => x * (i % 3 === 0 ? 1.05 : 0.95)), 1, 64],
    ["one number, negated", honest.map((x, i) => (i === 5 ? -x : x)), 1, 1],
    ["half of it left out", honest.map((x, i) => (i % 2 === 0 ? x : 0)), 0, 32],
    ["twice as much", honest.map((x) => 2 * x), 0, 64],
  ])("%s", async (_, other, passes, differ) => {
    const rows = { a: tensor([1, 64], honest), b: tensor([1, 64], other) };
    const found = await evaluate(({ a, b }) => iota.compare(a, b), rows);
    const dot = (x: number[], y: number[]) => x.reduce((total, value, i) => total + value * y[i], 0);
    expect(found.cosine.data[0]).toBeCloseTo(dot(honest, other) / Math.sqrt(dot(honest, honest) * dot(other, other)), 5); // prettier-ignore
    expect([found.passes.data[0], found.differ.data[0]]).toEqual([passes, differ]);
  });
});

async function stateOf(record: RoundsRecord, turn: string, member = 0) {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn && each.member === member);
  const { tensors } = await record.state(record.at({ round: 2, seat })!);
  const { outputs } = plan.templates[plan.seats[seat].template].round.step;
  return new Map(outputs.map(({ name }, i) => [name, Array.from(tensors[i].data)]));
}

describe("the butterfly", () => {
  test("has each shard twice, and cheats that its check passes are found", async () => {
    const plan = await iota.default.close({ miners: 3, inner: 2, rounds: 2, hidden: 4 });
    const record = await performedRecord(plan, path("honest"));
    const locals = await Promise.all([0, 1, 2].map((member) => stateOf(record, "local", member)));
    for (const [name, merged] of await stateOf(record, "merge")) {
      const off = merged.map((value, i) => {
        const mean = locals.reduce((total, local) => total + local.get(name)![i], 0) / 3;
        return Math.abs(value - mean) / Math.max(Math.abs(mean), 1e-3);
      });
      // A mean is kept as bfloat16, which has 8 bits.
      expect(Math.max(...off), name).toBeLessThan(2 ** -8);
    }
    const checked = await stateOf(record, "check");
    expect(checked.get("differ")).toEqual([0, 0, 0]);
    expect(checked.get("passes")).toEqual([1, 1, 1]);

    const seat = plan.seats.find((each) => plan.turns[each.turn].name === "reduce")!;
    const { labels, kernels } = plan.templates[seat.template].round.init;
    // The last operator of the mean of a weight: the largest that rounds to bfloat16.
    const rounded = [...labels.keys()].filter((i) => labels[i].includes("to-bf16"));
    const size = (i: number) => kernels[i].type.shape.reduce((a, b) => a * b, 1);
    const operator = rounded.toSorted((a, b) => size(b) - size(a))[0];
    const drills = [
      [`flip:step=0,operator=${operator},element=3,bit=18`, { reason: "operator", location: { step: 0, operator: { number: operator } } }], // prettier-ignore
      ["stale:source=0", { reason: "inputs" }],
      ["aggregate:2", { reason: "inputs" }],
    ] as const;
    for (const [i, [text, blame]] of drills.entries()) {
      const fault = parseRoundFault(plan, `participant=miner-1,round=2,turn=reduce,${text}`);
      const drill = await performedRecord(plan, path(`drill-${i}`), [fault], { salt: 2, from: record });
      const found = await stateOf(drill, "check");
      expect(found.get("passes"), text).toEqual([1, 1, 1]);
      expect(Math.max(...found.get("differ")!), text).toBeGreaterThan(0);
      expect(await disputeRecords(record, drill), text).toMatchObject({
        losers: [1],
        round: 2,
        name: "reduce-1",
        blames: [{ participant: "miner-1", ...blame }],
      });
    }
  });
});
