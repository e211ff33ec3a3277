/** Plans as data: a leaf's job follows from the plan and the leaves that it reads (spec 6.10). */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { tensorRoot } from "../../src/encoding/tensor.ts";
import { jobId } from "../../src/job/closed.ts";
import type { Overrides } from "../../src/job/options.ts";
import { constant, intTensor, mul, tensor } from "../../src/job/index.ts";
import { before, combine, defineRounds, each, now, own, turn } from "../../src/rounds/index.ts";
import { jobOfLeaf, LeafRunner } from "../../src/rounds/leaf.ts";
import {
  deriveJob,
  leafRoot,
  type LeafPlace,
  type Plan,
  planIdOf,
  sourcesOf,
  templateOf,
} from "../../src/rounds/plan.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { run } from "../../src/trace/run.ts";
import { smallPlan } from "./small-plan.ts";

/** All leaves of a plan, each executed from those before it. */
async function performed(plan: Plan, backend = wasm) {
  const runner = new LeafRunner(backend);
  const leaves = new Map<string, Awaited<ReturnType<LeafRunner["run"]>>>();
  const at = ({ round, seat }: LeafPlace) => leaves.get(`${round}/${seat}`)!;
  for (let round = 0; round <= plan.rounds; round++)
    for (const seat of plan.seats.keys()) {
      const sources = sourcesOf(plan, { round, seat }).map((source) => at(source));
      leaves.set(
        `${round}/${seat}`,
        await runner.run(plan, { round, seat }, sources.map(({ roots, state }) => ({ roots, tensors: state }))), // prettier-ignore
      );
    }
  await runner.close();
  return { leaves, at };
}

describe("a leaf's job", () => {
  test("has the id that follows from roots alone, and is an ordinary job", async () => {
    const plan = await smallPlan.close();
    const { leaves, at } = await performed(plan);
    for (const [key, leaf] of leaves) {
      const [round, seat] = key.split("/").map(Number);
      const place = { round, seat };
      const sources = sourcesOf(plan, place).map(at);
      const { job } = jobOfLeaf(plan, place, sources.map(({ roots, state }) => ({ roots, tensors: state }))); // prettier-ignore
      const derived = deriveJob(plan, place, sources.map(({ end }) => end)); // prettier-ignore
      expect(toHex(derived), key).toBe(toHex(jobId(job)));
      expect(toHex(leaf.job), key).toBe(toHex(derived));
      const whole = await run(job, { backend: wasm, commitEvery: Math.max(job.steps, 1) });
      expect(toHex(whole.runRoot), key).toBe(toHex(leafRoot(templateOf(plan, place), leaf)));
    }
  });

  test("has the same bits on the reference, and keeps the optimizer's moments from round to round", async () => {
    const plan = await smallPlan.close({ rounds: 1 });
    const [fast, slow] = [await performed(plan), await performed(plan, reference)];
    for (const [key, leaf] of fast.leaves) expect(toHex(slow.leaves.get(key)!.end), key).toBe(toHex(leaf.end));
    const later = await performed(await smallPlan.close({ rounds: 2 }));
    const step = ({ state }: { state: readonly { data: ArrayLike<number> }[] }, name: string): number => {
      const { outputs } = templateOf(plan, { round: 1, seat: 0 }).step;
      return state[outputs.findIndex((output) => output.name === name)].data[0];
    };
    expect(step(later.at({ round: 1, seat: 0 }), "step")).toBe(2);
    expect(step(later.at({ round: 2, seat: 0 }), "step")).toBe(4);
  });

  test("is another one when a source, their order, the round or the member is another", async () => {
    const plan = await smallPlan.close();
    const { at } = await performed(plan);
    const place = { round: 1, seat: 3 };
    const ends = sourcesOf(plan, place).map((source) => at(source).end);
    const swapped = [ends[1], ends[0], ...ends.slice(2)];
    const ids = [
      deriveJob(plan, place, ends),
      deriveJob(plan, place, swapped),
      deriveJob(plan, place, [ends[0], ends[0], ...ends.slice(2)]),
      deriveJob(plan, { ...place, round: 2 }, ends),
    ];
    const local = sourcesOf(plan, { round: 1, seat: 0 }).map((source) => at(source).end);
    ids.push(...[0, 1].map((seat) => deriveJob(plan, { round: 1, seat }, local)));
    expect(new Set(ids.map(toHex)).size).toBe(ids.length);
  });
});

describe("a plan's id", () => {
  test("binds each of its fields", async () => {
    const plan = await smallPlan.close();
    const [template, ...templates] = plan.templates;
    const [seat, ...seats] = plan.seats;
    const [source, ...sources] = template.sources;
    const shard = intTensor([1], [7]);
    const others: Plan[] = [
      { ...plan, name: "other" },
      { ...plan, rounds: 3 },
      { ...plan, turns: [{ ...plan.turns[0], name: "near" }, plan.turns[1]] },
      { ...plan, turns: [{ ...plan.turns[0], members: 2 }, plan.turns[1]] },
      { ...plan, templates: [{ ...template, sources: [...sources, source] }, ...templates] },
      { ...plan, templates: [{ ...template, sources: [{ ...source, before: 2 }, ...sources] }, ...templates] },
      { ...plan, templates: [{ ...template, round: { ...template.round, steps: 3 } }, ...templates] },
      { ...plan, templates: [{ ...template, genesis: { ...template.genesis, name: "x" } }, ...templates] },
      {
        ...plan,
        templates: [{ ...template, round: { ...template.round, initRoot: template.round.stepRoot } }, ...templates],
      },
      { ...plan, seats: [{ ...seat, member: 1 }, ...seats] },
      { ...plan, seats: [{ ...seat, template: 1 }, ...seats] },
      { ...plan, seats: [{ ...seat, shard: [], shardRoots: [tensorRoot(shard)] }, ...seats] },
    ];
    expect(toHex(planIdOf(plan))).toBe(toHex(plan.id));
    expect(new Set([plan, ...others].map((each) => toHex(planIdOf(each)))).size).toBe(others.length + 1);
  });

  test("is another one with another seed, option or number of members", async () => {
    const others: Overrides[] = [{}, { seed: 4 }, { rate: 0.06 }, { clients: 2 }, { rows: 7 }];
    const plans = others.map((options) => smallPlan.close(options));
    expect(new Set((await Promise.all(plans)).map(({ id }) => toHex(id))).size).toBe(5);
  });
});

describe("a plan", () => {
  const counter = (reads: Parameters<typeof turn>[0]["reads"]) =>
    turn({
      by: "one",
      reads,
      entries: () => ({ value: { dtype: "f32", shape: [], init: constant(2) } }),
      begin: ({ reads: given }) => {
        const [first] = Object.values(given).flat() as { entry(name: string): ReturnType<typeof mul> }[];
        return { value: mul(first.entry("value"), 3) };
      },
    });
  const plan = (turns: Parameters<typeof defineRounds>[0]["turns"], members: Record<string, number> = { one: 1 }) =>
    defineRounds({ name: "counted", rounds: 3, members: () => members, turns }).close();

  test("reads earlier rounds, and before the first round the initial state", async () => {
    const closed = await plan(() => ({ count: counter({ own: own(2) }) }));
    const { at } = await performed(closed);
    expect([0, 1, 2, 3].map((round) => at({ round, seat: 0 }).state[0].data[0])).toEqual([2, 6, 6, 18]);
  });

  test("refuses what does not fit together, and says what to change", async () => {
    const refused = (turns: Parameters<typeof defineRounds>[0]["turns"], members?: Record<string, number>) =>
      expect(plan(turns, members)).rejects;
    await refused(() => ({ a: counter({ x: now("b") }), b: counter({ own: own() }) })).toThrow("not to its left");
    await refused(() => ({ a: counter({ x: before("c") }) })).toThrow("no turn of the plan");
    await refused(() => ({ a: counter({ x: before("a", 1, 4) }) })).toThrow("1 members");
    await refused(() => ({ a: counter({ own: own() }) }), { one: 0 }).toThrow(
      "give it a whole number of them, 1 or more",
    );
    await refused(() => ({ a: counter({ own: own() }) }), { one: 1, idle: 2 }).toThrow(
      "the role idle of counted has 2 members and no turn, so they would have nothing to do",
    );
    await refused(() => ({ "a-b": counter({ own: own() }) })).toThrow("letters and digits");
    const lost = counter({ own: own() });
    await refused(() => ({ a: combine({ by: "one", weightsOf: lost, reads: { x: each("a", 1) }, next: (_, { x }) => x[0] }) })).toThrow("not in the plan"); // prettier-ignore
    await refused(() => ({
      a: turn({ by: "one", reads: { x: before("b") }, entries: ({ x }) => ({ v: x.types[0] }), begin: () => ({}) }),
      b: turn({ by: "one", reads: { x: now("a") }, entries: ({ x }) => ({ v: x.types[0] }), begin: () => ({}) }),
    })).toThrow("depend on each other"); // prettier-ignore
    const named = defineRounds({
      name: "named",
      rounds: 1,
      members: () => ({ one: 1 }),
      data: () => ({ round: tensor([1], [0]) }),
      turns: () => ({ a: counter({ own: own() }) }),
    });
    await expect(named.close()).rejects.toThrow("each seat is given");
    await expect(named.close({ rounds: 0 })).rejects.toThrow("1 round or more");
  });
});
