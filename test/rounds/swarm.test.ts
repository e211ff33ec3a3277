/** SWARM: its draw by definition, gradients of one graph whoever computes them, and drills beside its own check. */
import { describe, expect, test } from "vitest";
import type { Tensor } from "../../src/encoding/tensor.ts";
import { add, evaluate, gradients, intTensor, mul, reshape, slice } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type Plan, type RoundsDefinition, type RoundsRecord } from "../../src/rounds/index.ts"; // prettier-ignore
import { sourcesOf } from "../../src/rounds/plan.ts";
import type * as Route from "../../examples/rounds/swarm-route.ts";
import type * as Stages from "../../examples/stages.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: definition } = (await import("../../examples/rounds/swarm.ts")) as { default: RoundsDefinition };
const { awakeOf, draw } = (await import("../../examples/rounds/swarm-route.ts")) as typeof Route;
const { stageOf } = (await import("../../examples/stages.ts")) as typeof Stages;

const seatOf = (plan: Plan, turn: string, member = 0) =>
  plan.seats.findIndex((seat) => plan.turns[seat.turn].name === turn && seat.member === member);
async function stateOf(record: RoundsRecord, round: number, turn: string, member = 0): Promise<Map<string, Tensor>> {
  const seat = seatOf(record.plan, turn, member);
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { outputs } = record.plan.templates[record.plan.seats[seat].template].round.step;
  return new Map(outputs.map(({ name }, i) => [name, tensors[i]]));
}

describe("the draw", () => {
  const [microbatches, capacity] = [6, 3];
  const lots = Array.from({ length: microbatches * 3 }, (_, i) => (i * 40503 + 977) % 65536);
  test.each([[[1, 1, 1]], [[1, 0, 1]], [[0, 1, 1]]])("among %j gives each replica as many", async (awake) => {
    const inputs = { awake: intTensor([3], awake), lots: intTensor([microbatches, 3], lots) };
    const { place, held } = await evaluate((given) => draw(given.awake, given.lots, capacity), inputs);
    const load = [0, 0, 0];
    const wanted = Array.from({ length: microbatches }, (_, m) => {
      const able = [0, 1, 2].filter((replica) => awake[replica] === 1);
      const least = Math.min(...able.map((replica) => load[replica]));
      const idle = able.filter((replica) => load[replica] === least);
      const chosen = idle.sort((a, b) => lots[3 * m + a] - lots[3 * m + b])[0];
      return chosen * capacity + load[chosen]++;
    });
    expect([...place.data]).toEqual(wanted);
    const slots = Array.from({ length: 9 }, (_, slot) => wanted.indexOf(slot));
    expect([...held.data]).toEqual(slots);
    const there = load.filter((_, replica) => awake[replica] === 1);
    expect(Math.max(...there) - Math.min(...there)).toBe(0);
    expect(load.filter((_, replica) => awake[replica] === 0)).toEqual(awake.filter((x) => x === 0));
  });

  test("leaves out who is away, and refuses what leaves too few", () => {
    const isAwake = awakeOf("1.2@3 0.0@4", 2, 3);
    expect([isAwake(1, 2, 2), isAwake(1, 2, 3), isAwake(0, 0, 3), isAwake(0, 0, 5), isAwake(1, 1, 9)]).toEqual([1, 0, 1, 0, 1]); // prettier-ignore
    expect(() => awakeOf("1.3@1", 2, 3)).toThrow(/no replica/);
    expect(() => awakeOf("1-2", 2, 3)).toThrow(RangeError);
    expect(() => awakeOf("1.0@1 1.1@2", 2, 3)).toThrow(/two replicas/);
  });
});

test("has the gradients of one graph, with a replica away", async () => {
  const [stages, microbatches] = [3, 4];
  const sizes = { stages, context: 8, dim: 8, heads: 2, subspace: 0, boundary: "whole" };
  const plan = await definition.close({ stages, microbatches, gone: "1.0@1", context: 8, dim: 8, batch: 2, rounds: 1 });
  const record = await performedRecord(plan, path("gradients"));
  const route = await stateOf(record, 1, "route");
  const capacity = 2;
  // The replica that is away holds nothing, and the others all of it.
  const held = Array.from(route.get("held")!.data);
  for (let stage = 0; stage < stages; stage++) {
    const own = held.slice(stage * 3 * capacity, (stage + 1) * 3 * capacity);
    expect(own.filter((m) => m >= 0).sort()).toEqual([0, 1, 2, 3]);
    if (stage === 1) expect(own.slice(0, capacity)).toEqual([-1, -1]);
  }
  for (const [name, { data }] of await stateOf(record, 1, "backward1", 0)) expect([...data].every((x) => x === 0), name).toBe(true); // prettier-ignore

  const weights: Record<string, Tensor> = {};
  for (let stage = 0; stage < stages; stage++)
    for (const [name, tensor] of await stateOf(record, 0, `update${stage}`))
      if (/^(embedding|block|head)/.test(name)) weights[name] = tensor;
  const names = Object.keys(weights);
  const made = await evaluate(
    (inputs: Record<string, Value>): Record<string, Value> => {
      const losses = Array.from({ length: microbatches }, (_, m) => {
        const own = reshape(slice(inputs.windows, 0, m, m + 1), [2, 9]);
        let x: Value | undefined;
        for (let stage = 0; stage < stages; stage++) x = stageOf(sizes, stage, (name) => inputs[name], {}, own, x);
        return mul(x!, 1 / microbatches);
      });
      const loss = losses.reduce((a, b) => add(a, b));
      const slopes = gradients(loss, names.map((name) => inputs[name])); // prettier-ignore
      return { loss, ...Object.fromEntries(names.map((name, i) => [`slope ${name}`, slopes[i]])) };
    },
    { ...weights, windows: route.get("windows")! },
  );
  let loss = 0;
  for (const member of [0, 1, 2]) loss += (await stateOf(record, 1, "backward2", member)).get("loss")!.data[0];
  expect(loss).toBeCloseTo(made.loss.data[0], 5);
  let compared = 0;
  for (let stage = 0; stage < stages; stage++) {
    const state = await stateOf(record, 1, `update${stage}`);
    for (const member of [1, 2]) {
      const other = await stateOf(record, 1, `update${stage}`, member);
      for (const [name, tensor] of state) if (name !== "rng/seed") expect(other.get(name), name).toEqual(tensor);
    }
    for (const name of names) {
      const moment = state.get(`optimizer/m/${name}`)?.data;
      if (!moment) continue;
      compared++;
      const slope = [...made[`slope ${name}`].data].map((x) => x / 10);
      const largest = Math.max(...slope.map(Math.abs));
      expect(largest, name).toBeGreaterThan(0);
      moment.forEach((x, i) => expect(Math.abs(x - slope[i]), name).toBeLessThan(1e-5 * largest));
    }
  }
  expect(compared).toBe(names.length);
});

/** SWARM's own check: a replica is banned when it gives no answer. It looks at no value. */
async function answers(record: RoundsRecord, round: number, seat: number): Promise<boolean> {
  const { plan } = record;
  const { tensors } = await record.state(record.at({ round, seat })!);
  const { inputs, outputs } = plan.templates[plan.seats[seat].template].round.step;
  return outputs.every(({ tensor }, i) => tensors[i].shape.join() === inputs[tensor]?.shape.join() || tensor >= inputs.length) && tensors.every(({ data }) => data.every(Number.isFinite)); // prettier-ignore
}

test("who draws, computes or adds up otherwise is found, and has answered", async () => {
  const small = { stages: 2, microbatches: 2, gone: "1.2@2", context: 8, dim: 8, batch: 1, rounds: 2 };
  const plan = await definition.close(small);
  const honest = await performedRecord(plan, path("honest"));
  const labelled = (turn: string, label: RegExp) => {
    const { labels } = plan.templates[plan.seats[seatOf(plan, turn)].template].round.init;
    return labels.findIndex((each) => label.test(each));
  };
  // Of those that are awake at stage 1 in round 2, one that holds a microbatch.
  const held = Array.from((await stateOf(honest, 2, "route")).get("held")!.data).slice(3 * 1);
  const busy = held.findIndex((m) => m >= 0);
  const sourceOf = (turn: string, member: number, from: string) => {
    const reader = seatOf(plan, turn, member);
    return sourcesOf(plan, { round: 2, seat: reader }).findIndex(({ seat }) => plan.turns[plan.seats[seat].turn].name === from); // prettier-ignore
  };
  const [drawn, taken] = [labelled("route", /argmin/), labelled("backward1", /own-microbatches/)];
  const at = (number: number) => ({ reason: "operator", location: { step: 0, operator: { number } } });
  const roll = sourceOf("route", 0, "awake1") + 2;
  const drills = [
    ["another replica is favoured", "trainer-0", `turn=route,flip:step=0,operator=${drawn},bit=0`, "route-0", at(drawn)],
    ["one that is away is sent to", "trainer-0", `turn=route,stale:${roll}`, "route-0", { reason: "inputs" }],
    ["other weights are taken", `stage1-${busy}`, `turn=backward1,stale:${sourceOf("backward1", busy, "update1")}`, `backward1-${busy}`, { reason: "inputs" }],
    ["another microbatch is taken", `stage1-${busy}`, `turn=backward1,flip:step=0,operator=${taken},bit=0`, `backward1-${busy}`, at(taken)],
    ["another slope is handed on", `stage1-${busy}`, "turn=backward1,message:entry=1,element=3,bit=22", `backward1-${busy}`, { reason: "message" }],
    ["a replica is left out of the sum", "stage0-1", "turn=update0,aggregate:0", "update0-1", { reason: "inputs" }],
  ] as const; // prettier-ignore
  for (const [i, [what, participant, text, name, blame]] of drills.entries()) {
    const fault = parseRoundFault(plan, `participant=${participant},round=2,${text}`);
    const drill = await performedRecord(plan, path(`drill-${i}`), [fault], { salt: 2, from: honest });
    expect(await disputeRecords(honest, drill), what).toMatchObject({ losers: [1], round: 2, name, blames: [{ participant, ...blame }] }); // prettier-ignore
    expect(await answers(drill, 2, fault.seat), what).toBe(true);
    if (i === 1) expect((await auditRecord(drill)).liars.map((liar) => liar.participant)).toEqual([participant]);
  }
});

test("draws from seeds of the record, which differ from one performance to the other", async () => {
  const small = { stages: 1, microbatches: 2, context: 4, dim: 4, heads: 1, batch: 1, rounds: 1 };
  const routes = async (seeds: string, salt: number) => {
    const record = await performedRecord(await definition.close({ ...small, seeds }), path(`seeds-${seeds}-${salt}`), [], { salt }); // prettier-ignore
    expect((await auditRecord(record)).liars).toEqual([]);
    return [...(await stateOf(record, 1, "route")).get("windows")!.data].join();
  };
  expect(await routes("plan", 1)).toBe(await routes("plan", 2));
  expect(await routes("record", 1)).not.toBe(await routes("record", 2));
});
