/** The examples of docs/schemes.md: their arithmetic against published vectors, and a drill of each. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { chunkedDct, evaluate, tensor } from "../../src/graph/index.ts";
import type { Value } from "../../src/graph/value.ts";
import type { Overrides } from "../../src/job/options.ts";
import { resolveOwnPackage } from "../../src/job/resolve.ts";
import { bitsOf } from "../../src/repops/numbers/vf32.ts";
import {
  auditRecord,
  disputeRecords,
  parseRoundFault,
  type RoundsDefinition,
  type RoundsRecord,
} from "../../src/rounds/index.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { performedRecord } from "./liars.ts";

resolveOwnPackage();
const path = temporaryFolder();
interface FedAvg {
  default: RoundsDefinition;
  weightedMean(values: readonly Value[], sizes: readonly number[], form: string, chosen?: Value): Value;
}
interface DiLoCo {
  default: RoundsDefinition;
  outerStep(
    weight: Value,
    momentum: Value,
    slope: Value,
    rate: number,
    share: number,
  ): { weight: Value; momentum: Value };
}
const fedavg = (await import("../../examples/rounds/fedavg.ts")) as FedAvg;
const diloco = (await import("../../examples/rounds/diloco.ts")) as DiLoCo;
const demo = (await import("../../examples/rounds/demo.ts")) as Pick<FedAvg, "default">;
/** A drill is another performance: in the same one its participant would have signed twice. */
const OTHER = { salt: 2 };
const hex = (values: ArrayLike<number>) => Array.from(values, (value) => bitsOf(value).toString(16).padStart(8, "0"));

test("examples of plans have at most 120 lines", () => {
  for (const file of readdirSync("examples/rounds"))
    expect(readFileSync(`examples/rounds/${file}`, "utf8").split("\n").length, file).toBeLessThanOrEqual(121);
});

describe("FedAvg", () => {
  test("has the bits of both forms of Flower's mean, as numpy computes them", async () => {
    const rows = {
      a: tensor([3], [0.1, 0.2, 0.3]),
      b: tensor([3], [0.7, -0.4, 0.001]),
      c: tensor([3], [1 / 3, 2 / 3, 5]),
    };
    const of = async (form: string) => hex((await evaluate(({ a, b, c }) => fedavg.weightedMean([a, b, c], [1, 2, 4], form), rows)).data); // prettier-ignore
    expect(await of("sum")).toEqual(["3ecf3cf5", "3e972972", "40399e48"]);
    expect(await of("share")).toEqual(["3ecf3cf4", "3e972974", "40399e48"]);
  });

  test("takes the mean of the drawn clients alone, and finds a server that counts others", async () => {
    const plan = await fedavg.default.close({ clients: 4, fraction: 0.5, rounds: 3, inner: 2 });
    const record = await performedRecord(plan, path("partial"));
    const stateOf = async (of: RoundsRecord, round: number, turnName: string, member = 0) => {
      const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turnName && each.member === member);
      const { tensors } = await of.state(of.at({ round, seat })!);
      const { outputs } = plan.templates[plan.seats[seat].template].round.step;
      return new Map(outputs.map(({ name }, i) => [name, Array.from(tensors[i].data)]));
    };
    const rosters = new Set<string>();
    for (const round of [1, 2, 3]) {
      const chosen = (await stateOf(record, round, "draw")).get("chosen")!;
      expect(chosen.reduce((a, b) => a + b)).toBe(2);
      rosters.add(chosen.join());
      const locals = await Promise.all([0, 1, 2, 3].map((member) => stateOf(record, round, "local", member)));
      const counts = chosen.map((taken, client) => taken * (client + 1));
      const all = counts.reduce((a, b) => a + b);
      for (const [name, merged] of await stateOf(record, round, "merge"))
        merged.forEach((value, i) => expect(value, name).toBeCloseTo(locals.reduce((sum, local, client) => sum + (local.get(name)![i] * counts[client]) / all, 0), 6)); // prettier-ignore
    }
    expect(rosters.size).toBeGreaterThan(1);
    const { labels } = plan.templates[plan.seats[plan.seats.length - 2].template].round.init;
    const operator = labels.findIndex((label) => label.endsWith("one-hot"));
    const drills = [
      [`turn=draw,flip:step=0,operator=${operator},element=0,bit=0`, { name: "draw-0", blames: [{ participant: "server-0", reason: "operator", location: { operator: { number: operator } } }] }],
      ["turn=merge,stale:4", { name: "merge-0", blames: [{ participant: "server-0", reason: "inputs" }] }],
    ] as const; // prettier-ignore
    for (const [i, [text, found]] of drills.entries()) {
      const fault = parseRoundFault(plan, `participant=server-0,round=2,${text}`);
      const drill = await performedRecord(plan, path(`partial-${i}`), [fault], { ...OTHER, from: record });
      expect(await disputeRecords(record, drill), text).toMatchObject({ losers: [1], round: 2, ...found });
    }
  });

  test("gives equal inputs back", async () => {
    for (const form of ["sum", "share"]) {
      const x = tensor([4], [1, -2, 0.5, 3]);
      const { data } = await evaluate(({ x: value }) => fedavg.weightedMean([value, value], [1, 1], form), { x });
      expect(Array.from(data)).toEqual([1, -2, 0.5, 3]);
    }
  });

  test("learns digits in each of its forms, and a client that trains less is found", async () => {
    const forms: Overrides[] = [{}, { mean: "share" }, { proximal: 0.1 }, { server: "adam" }];
    for (const options of forms) {
      const plan = await fedavg.default.close({ clients: 3, ...options });
      const record = await performedRecord(plan, path(`fedavg ${JSON.stringify(options)}`));
      const losses: number[] = [];
      for (const round of [1, 3]) losses.push((await record.note({ round, seat: 2 })).metrics[0].loss);
      expect(losses[1], JSON.stringify(options)).toBeLessThan(losses[0]);
    }
    const plan = await fedavg.default.close({ clients: 3, rounds: 2 });
    const honest = await performedRecord(plan, path("fedavg"));
    const drill = await performedRecord(
      plan,
      path("fedavg-drill"),
      [parseRoundFault(plan, "participant=client-1,round=2,steps:7")],
      OTHER,
    );
    expect(await disputeRecords(honest, drill)).toMatchObject({
      losers: [1],
      round: 2,
      blames: [
        { participant: "client-1", reason: "operator", location: { step: 8, operator: { kind: "state-update" } } },
      ],
    });
  });
});

describe("DiLoCo", () => {
  test("moves weights as SGD with Nesterov momentum of PyTorch does", async () => {
    let [weight, momentum] = [1, 0];
    const steps: number[][] = [];
    for (const slope of [0.1, 0.2, -0.05]) {
      const inputs = { w: tensor([], [weight]), m: tensor([], [momentum]), g: tensor([], [slope]) };
      const next = await evaluate(({ w, m, g }) => diloco.outerStep(w, m, g, 0.7, 0.9), inputs);
      [weight, momentum] = [next.weight.data[0], next.momentum.data[0]];
      steps.push([weight, momentum]);
    }
    const expected = [[0.867, 0.1], [0.5443, 0.29], [0.44637, 0.211]]; // prettier-ignore
    for (const [i, [w, m]] of expected.entries()) {
      expect(steps[i][0]).toBeCloseTo(w, 6);
      expect(steps[i][1]).toBeCloseTo(m, 6);
    }
  });

  test("is found to lie at its participant, round and operator", async () => {
    const plan = await diloco.default.close({ workers: 2, inner: 2, rounds: 2, dim: 16 });
    const honest = await performedRecord(plan, path("diloco"));
    const { labels } = plan.templates[0].round.step;
    const operator = labels.findIndex((label) => label.endsWith("attention/softmax-sum"));
    const drills = [`participant=worker-1,round=2,flip:step=2,operator=${operator},bit=30`, "participant=server-0,round=1,aggregate:1"]; // prettier-ignore
    const expected = [
      {
        round: 2,
        blames: [
          { participant: "worker-1", reason: "operator", location: { step: 2, operator: { number: operator } } },
        ],
      },
      { round: 1, blames: [{ participant: "server-0", reason: "inputs" }] },
    ];
    for (const [i, text] of drills.entries()) {
      const drill = await performedRecord(plan, path(`diloco-${i}`), [parseRoundFault(plan, text)], OTHER);
      expect(await disputeRecords(honest, drill)).toMatchObject({ losers: [1], ...expected[i] });
      expect((await auditRecord(drill)).liars.map(({ participant }) => participant)).toEqual([
        expected[i].blames[0].participant,
      ]);
    }
  });
});

describe("DeMo", () => {
  test("sends the largest coefficients, keeps the rest, and leaves all workers with the same weights", async () => {
    const plan = await demo.default.close({ replicas: 2, dim: 16, rounds: 2 });
    const record = await performedRecord(plan, path("demo"));
    const state = async (round: number, turnName: string, member: number) => {
      const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turnName && each.member === member);
      const { tensors } = await record.state(record.at({ round, seat })!);
      const { outputs } = plan.templates[plan.seats[seat].template].round.step;
      return new Map(outputs.map(({ name }, i) => [name, tensors[i]]));
    };
    const [first, second] = [await state(2, "apply", 0), await state(2, "apply", 1)];
    for (const [name, { data }] of first) expect(data, name).toEqual(second.get(name)!.data);
    const [local, sent] = [await state(2, "local", 1), await state(2, "send", 1)];
    const weights = [...first.keys()];
    expect(sent.size).toBe(2 * weights.length);
    for (const name of weights) {
      const message = { values: sent.get(`message/values/${name}`)!, indices: sent.get(`message/indices/${name}`)! };
      expect(message.values.data, name).toEqual(local.get(`message/values/${name}`)!.data);
      // What was sent is no longer in the momentum: its coefficients there are 0 but for rounding, and the others are not above it.
      const kept = local.get(`optimizer/momentum/${name}`)!;
      const left = await evaluate(({ kept: value }) => chunkedDct(value, 16), { kept }, { onNoted: () => undefined });
      const size = left.shape[2];
      const k = message.values.shape[2];
      const largest = Math.max(...message.values.data.map(Math.abs));
      for (let chunk = 0; chunk < left.data.length / size; chunk++) {
        const own = left.data.subarray(chunk * size, (chunk + 1) * size);
        const values = message.values.data.subarray(chunk * k, (chunk + 1) * k);
        const indices = message.indices.data.subarray(chunk * k, (chunk + 1) * k);
        expect(new Set(indices).size, name).toBe(k);
        for (const index of indices) expect(Math.abs(own[index]), name).toBeLessThanOrEqual(1e-6 * largest + 1e-9);
        const least = Math.min(...values.map(Math.abs));
        for (const value of own) expect(Math.abs(value), name).toBeLessThanOrEqual(least * (1 + 1e-5) + 1e-6 * largest);
      }
    }
    const liar = await performedRecord(plan, path("demo-drill"), [parseRoundFault(plan, "participant=worker-1,round=1,turn=send,message:entry=0,bit=20")], OTHER); // prettier-ignore
    expect(await disputeRecords(record, liar)).toMatchObject({ losers: [1], round: 1, name: "send-1", blames: [{ participant: "worker-1", reason: "message" }] }); // prettier-ignore
  });
});
