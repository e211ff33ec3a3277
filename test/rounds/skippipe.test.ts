/** SkipPipe: its published schedule, gradients of a model whose microbatches skip stages, and drills. */
import { describe, expect, test } from "vitest";
import { elementCount, type Tensor } from "../../src/encoding/tensor.ts";
import { add, evaluate, gradients, mul, slice } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { auditRecord, disputeRecords, parseRoundFault, type Plan, type RoundsDefinition } from "../../src/rounds/index.ts"; // prettier-ignore
import { sourcesOf } from "../../src/rounds/plan.ts";
import type * as Schedule from "../../examples/rounds/skippipe-schedule.ts";
import type * as Stages from "../../examples/stages.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";
import type * as Beside from "./pipeline.ts";

resolveOwnPackage();
const path = temporaryFolder();
const { default: definition } = (await import("../../examples/rounds/skippipe.ts")) as { default: RoundsDefinition };
const { scheduleOf, visitTimes } = (await import("../../examples/rounds/skippipe-schedule.ts")) as typeof Schedule;
const { headLoss, stageOf } = (await import("../../examples/stages.ts")) as typeof Stages;
const { isWeight, stateAfter } = (await import("./pipeline.ts")) as typeof Beside;
const PUBLISHED = "0-1-2-3 0-1-5-4 0-4-3-5 0-2-4-5 0-1-3-2";
const seatOf = (plan: Plan, turn: string) => plan.seats.findIndex((seat) => plan.turns[seat.turn].name === turn);

describe("the published schedule", () => {
  test("has a third of the stages skipped, and each visited as often", () => {
    const { paths, visits, passed, slope } = scheduleOf(PUBLISHED, 6);
    expect(paths.map(({ length }) => length)).toEqual([4, 4, 4, 4, 4]);
    const times = [1, 2, 3, 4, 5].map((stage) => paths.filter((each) => each.includes(stage)).length);
    expect(times).toEqual([3, 3, 3, 3, 3]);
    expect(visits.filter(({ hop }) => hop === 1)).toEqual([
      { hop: 1, stage: 1, microbatches: [0, 1, 4] },
      { hop: 1, stage: 2, microbatches: [3] },
      { hop: 1, stage: 4, microbatches: [2] },
    ]);
    expect(passed(1, 4)).toEqual({ turn: "hop1s1", at: 2, of: 3 });
    expect(passed(0, 3)).toEqual({ turn: "start", at: 3, of: 5 });
    expect([slope(4, 2).turn, slope(3, 2).turn]).toEqual(["head", "back3s5"]);
  });

  test.each([
    ["0-1-2 0-1", /one length/],
    ["1-0-2", /begin at stage 0/],
    ["0-1-1", /twice/],
    ["0-1-3", /no stages from 0 to 2/],
    ["0-1 0-1", /all 3 stages/],
  ])("refuses the paths %s", (text, problem) => expect(() => scheduleOf(text, 3)).toThrow(problem));

  test("has the times at which the authors' file says that nodes process", () => {
    // Two of the routes: nodes, seconds from each to the next and from the last to the first, times in their order.
    const routes = [
      [[0, 6, 12, 5], [0.4818668089306232, 0.4818668089306232, 2.0300732575422566, 2.0300732575422566], [0, 0.9218668089306232, 1.8437336178612465, 4.313806875403503, 6.78388013294576, 8.923953390488016, 11.614026648030272, 12.755893456960896, 13.89776026589152]],
      [[11, 8, 16, 9], [1.447187081759093, 1.1868571140820618, 0.7765216355596161, 1.9053816741233647], [0, 1.887187081759093, 3.514044195841155, 4.730565831400771, 7.075947505524136, 9.0913291796475, 10.527850815207117, 12.37470792928918, 14.481895011048273]],
    ] as const; // prettier-ignore
    for (const [nodes, delays, times] of routes) {
      const delay = (from: number, to: number): number => {
        const [a, b] = [nodes.indexOf(from as never), nodes.indexOf(to as never)];
        return delays[Math.abs(a - b) === 3 ? 3 : Math.min(a, b)];
      };
      const found = visitTimes(nodes, delay, 0.44);
      expect(found.map(([node]) => node)).toEqual([...nodes, nodes[0], ...nodes.toReversed()]);
      found.forEach(([, time], i) => expect(time).toBeCloseTo(times[i], 10));
    }
  });

  test("takes four sixths of the operations of all stages", async () => {
    const work = async (paths: string) => {
      const plan = await definition.close({ paths, dim: 8, batch: 1, context: 8 });
      const forward = plan.seats.filter(({ turn }) => /^(start|hop)/.test(plan.turns[turn].name));
      const kernels = forward.flatMap(({ template }) => plan.templates[template].round.init.kernels);
      return kernels.reduce((sum, each) => sum + (each.kind === "fold" ? elementCount(each.type.shape) * elementCount(each.reduce) : 0), 0); // prettier-ignore
    };
    expect((await work(PUBLISHED)) / (await work(Array(5).fill("0-1-2-3-4-5").join(" ")))).toBeCloseTo(4 / 6, 12);
  });
});

test("has the gradients of one graph whose microbatches skip stages", async () => {
  const sizes = { stages: 5, context: 8, dim: 8, heads: 2, subspace: 0, boundary: "whole" };
  const text = "0-1-2 0-3-1 0-2-3";
  const plan = await definition.close({ stages: 4, paths: text, context: 8, dim: 8, batch: 2, rounds: 1 });
  const record = await performedRecord(plan, path("gradients"));
  const weights: Record<string, Tensor> = {};
  const owner: Record<string, number> = {};
  for (let stage = 0; stage < 4; stage++)
    for (const [name, tensor] of await stateAfter(record, 0, `update${stage}`))
      if (isWeight(name)) [weights[name], owner[name]] = [tensor, stage];
  const names = Object.keys(weights);
  expect(names.length).toBe(27);
  const windows = (await stateAfter(record, 1, "start")).get("windows")!;
  const made = await evaluate(
    (inputs: Record<string, Value>): Record<string, Value> => {
      const losses = text.split(" ").map((way, m) => {
        const own = slice(inputs.windows, 0, 2 * m, 2 * m + 2);
        let x: Value | undefined;
        for (const stage of way.split("-").map(Number)) x = stageOf(sizes, stage, (name) => inputs[name], {}, own, x);
        return mul(
          headLoss((name) => inputs[name], x!, own, "mean"),
          1 / 3,
        );
      });
      const loss = losses.reduce((a, b) => add(a, b));
      const slopes = gradients(loss, names.map((name) => inputs[name])); // prettier-ignore
      return { loss, ...Object.fromEntries(names.map((name, i) => [`slope ${name}`, slopes[i]])) };
    },
    { ...weights, windows },
  );
  expect((await stateAfter(record, 1, "head")).get("loss")!.data[0]).toBeCloseTo(made.loss.data[0], 5);
  for (let stage = 0; stage < 4; stage++) {
    const own = names.filter((name) => owner[name] === stage);
    // Each stage clips its own gradients. After one step a first moment is a tenth of what is left.
    const norm = Math.hypot(...own.flatMap((name) => [...made[`slope ${name}`].data]));
    const state = await stateAfter(record, 1, `update${stage}`);
    for (const name of own) {
      const slope = [...made[`slope ${name}`].data].map((x) => (x * Math.min(1, 1 / (norm + 1e-6))) / 10);
      const largest = Math.max(...slope.map(Math.abs));
      expect(largest, name).toBeGreaterThan(0);
      state.get(`optimizer/m/${name}`)!.data.forEach((x, i) => expect(Math.abs(x - slope[i]), name).toBeLessThan(1e-5 * largest)); // prettier-ignore
    }
  }
});

test("who skips its stage, leaves the path or reports another gradient is found", async () => {
  // Each turn has one microbatch, so that what it reads and what it hands on are of one type.
  const plan = await definition.close({ stages: 3, paths: "0-1-2 0-2-1", context: 8, dim: 8, batch: 1, rounds: 1 });
  const honest = await performedRecord(plan, path("honest"));
  const [first, other, second] = ["hop1s1", "hop1s2", "hop2s2"].map((turn) => seatOf(plan, turn));
  const source = sourcesOf(plan, { round: 1, seat: second }).findIndex(({ seat }) => seat === first);
  const roundOf = (turn: string) => plan.templates[plan.seats[seatOf(plan, turn)].template].round;
  const slope = roundOf("update2").step.labels.findIndex((label) => /block2.up-gradient/.test(label));
  const product = roundOf("hop2s2").init.labels.findIndex((label) => /block2.qkv/.test(label));
  const at = (step: number, number: number) => ({ reason: "operator", location: { step, operator: { number } } });
  const drills = [
    // Who hands on its input as it came has no computation to defend, so re-execution alone shows the lie.
    ["its own stage is skipped", [], { copy: { round: 1, seat: second, of: first } }, "hop2s2-0", { reason: "operator" }, true],
    ["another product in the stage", [parseRoundFault(plan, `participant=stage2-0,round=1,turn=hop2s2,flip:step=0,operator=${product},bit=22`)], {}, "hop2s2-0", at(0, product), false],
    ["another microbatch than the path's", [], { reads: { round: 1, seat: second, source, instead: other } }, "hop2s2-0", { reason: "inputs" }, true],
    ["another gradient", [parseRoundFault(plan, `participant=stage2-0,round=1,turn=update2,flip:step=1,operator=${slope},bit=30`)], {}, "update2-0", at(1, slope), false],
  ] as const; // prettier-ignore
  for (const [i, [what, faults, cheat, name, blame, risen]] of drills.entries()) {
    const drill = await performedRecord(plan, path(`drill-${i}`), faults, { salt: 2, from: honest, ...cheat });
    const loss = async (record: typeof drill) => (await stateAfter(record, 1, "head")).get("loss")!.data[0];
    // SkipPipe checks nothing. The loss of the step would show two of the four.
    expect((await loss(drill)) - (await loss(honest)) > 0.1, what).toBe(risen);
    expect(await disputeRecords(honest, drill), what).toMatchObject({ losers: [1], round: 1, name, blames: [{ participant: "stage2-0", ...blame }] }); // prettier-ignore
    expect(
      (await auditRecord(drill)).liars.map(({ participant }) => participant),
      what,
    ).toEqual(["stage2-0"]);
  }
});
