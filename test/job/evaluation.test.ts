/** Evaluation: means over the rows of a dataset, in a job that trains and in one that does not. */
import { describe, expect, test } from "vitest";
import { countByTraining } from "../../src/job/parameters.ts";
import * as job from "../../src/job/index.ts";
import { startFrom } from "../../src/trace/start.ts";
import { statesOf } from "./optimizers/given-slopes.ts";

const {
  adamW,
  toFloat,
  batchNormLayer,
  defineJob,
  dropout,
  ema,
  evaluateRows,
  linear,
  mean,
  mul,
  reshape,
  sgd,
  square,
  sub,
  sum,
  tensor,
} = job;
const ROWS = [1, 2, 3, 4, 5, 6, 7];
const data = () => ({ rows: tensor([7, 1], ROWS), x: tensor([2, 1], [1, 2]), y: tensor([2, 1], [2, 4]) });
type Rows = Record<"rows", job.Value>;

interface Options {
  every?: number;
  batch?: number;
  averaged?: boolean;
  snapshot?: boolean;
}

/** A line through 0 that is trained, and the means of its values at the rows. */
const training = (options: Options | undefined, optimizer: () => job.Optimizer, body?: (rows: Rows) => job.Value) =>
  defineJob({
    name: "line",
    steps: 8,
    data,
    loss: (context) => {
      const model = (x: job.Value): job.Value =>
        dropout(linear(context, "line", x, 1, { bias: false }), context.random, 0.25);
      const loss = mean(square(sub(model(context.data.x), context.data.y)));
      if (options) {
        const own = body ?? (({ rows }: Rows) => model(rows));
        const found = evaluateRows(context, "validation", { rows: context.data.rows }, options, (rows) => ({
          value: own(rows),
        }));
        context.metric("value", found.value);
      }
      return loss;
    },
    optimizer,
  });

const plain = (): job.Optimizer => sgd({ learningRate: 0.02 });

describe("evaluateRows in a job that trains", () => {
  test("gives the mean over the rows so far, then over those of the last complete round", async () => {
    const states = await statesOf(await training({ batch: 3 }, plain).close());
    // The weight before each step: that after the one before it.
    const before = states.map((_, i) => (i === 0 ? undefined : states[i - 1].get("line.weight")![0]));
    const first = (await statesOf(await training({ batch: 7 }, plain).close()))[0].get("metrics/value")![0];
    before[0] = first / 4;
    const weights = before as number[];
    const of = (values: [row: number, step: number][]): number =>
      values.reduce((total, [row, step]) => total + row * weights[step], 0) / values.length;
    const round = (step: number): [number, number][] => ROWS.map((row) => [row, step + Math.floor((row - 1) / 3)]);
    const expected = [
      of(round(0).slice(0, 3)),
      of(round(0).slice(0, 6)),
      of(round(0)),
      of(round(0)),
      of(round(0)),
      of(round(3)),
      of(round(3)),
      of(round(3)),
    ];
    states.forEach((state, i) => expect(state.get("metrics/value")![0], `step ${i + 1}`).toBeCloseTo(expected[i], 5));
    expect(new Set(weights).size).toBeGreaterThan(5);
  });

  test("evaluates the weights of a round's first step where a snapshot is kept", async () => {
    const states = await statesOf(await training({ batch: 3, snapshot: true }, plain).close());
    const whole = await statesOf(await training({ batch: 7 }, plain).close());
    // The mean of all rows with the weights before each step.
    const means = whole.map((state) => state.get("metrics/value")![0]);
    const found = states.map((state) => state.get("metrics/value")![0]);
    expect(found[0]).toBeCloseTo(means[0] / 2, 5);
    for (const i of [2, 3, 4]) expect(found[i], `step ${i + 1}`).toBeCloseTo(means[0], 5);
    for (const i of [5, 6, 7]) expect(found[i], `step ${i + 1}`).toBeCloseTo(means[3], 5);
    expect(means[3]).not.toBeCloseTo(means[0], 3);
    expect(states.at(-1)!.get("line.weight")).toEqual(whole.at(-1)!.get("line.weight"));
  });

  test("evaluates all rows in as many steps as `every` says", async () => {
    const closed = await training({ every: 3 }, plain).close();
    expect(closed.step.kernels.find((_, i) => closed.step.labels[i] === "validation/rows")!.type.shape[0]).toBe(3);
    const whole = await statesOf(await training({ every: 1 }, plain).close());
    whole.forEach((state, i) => {
      if (i > 0) expect(state.get("metrics/value")![0]).toBeCloseTo(4 * whole[i - 1].get("line.weight")![0], 5);
    });
  });

  test("takes rows that divide all of them, where `every` leaves the choice", async () => {
    const batchOf = async (rows: number, every: number): Promise<number> => {
      const closed = await defineJob({
        name: "rows",
        steps: 1,
        data: () => ({
          rows: job.intTensor(
            [rows, 1],
            Array.from({ length: rows }, (_, i) => i),
          ),
        }),
        loss: (context) =>
          evaluateRows(context, "v", { rows: context.data.rows }, { every }, (own) => ({ x: toFloat(own.rows) })).x,
      }).close();
      return closed.step.kernels.find((_, i) => closed.step.labels[i] === "v/rows")!.type.shape[0];
    };
    // 2 of 10, 5 for 4 of 10, 9 in threes, and 4 of 13, of which no other number is near.
    expect([await batchOf(10, 5), await batchOf(10, 3), await batchOf(9, 4), await batchOf(13, 4)]).toEqual([
      2, 5, 3, 4,
    ]);
  });

  test("changes nothing of the training", async () => {
    const [with_, without] = await Promise.all(
      [{ batch: 3 }, undefined].map(async (options) =>
        statesOf(await training(options, () => adamW({ learningRate: 0.1 })).close()),
      ),
    );
    for (const [i, state] of without.entries())
      for (const [name, values] of state) expect(with_[i].get(name), `${name} after step ${i + 1}`).toEqual(values);
  });

  test("takes scalars where every step has equal rows", async () => {
    const scalar = ({ rows }: Rows): job.Value => mean(rows);
    const whole = await statesOf(await training({ batch: 7 }, plain, scalar).close());
    expect(whole[0].get("metrics/value")).toEqual([4]);
    await expect(training({ batch: 3 }, plain, scalar).close()).rejects.toThrow(
      "validation/value: a scalar is the mean of 3 rows, and the last step of a round has 1; return f32 [3], or take a batch that divides 7",
    );
    await expect(training({ every: 3 }, plain, scalar).close()).rejects.toThrow(
      "return f32 [3], or take every: 1, which is 7 rows a step",
    );
  });

  test("evaluates the averages of the weights that ema keeps", async () => {
    const optimizer = (): job.Optimizer => ema(plain(), { decay: 0.75 });
    const states = await statesOf(await training({ batch: 7, averaged: true }, optimizer).close());
    let average: number | undefined;
    states.forEach((state, i) => {
      const [weight] = state.get("line.weight")!;
      if (average !== undefined) expect(state.get("metrics/value")![0], `step ${i + 1}`).toBeCloseTo(4 * average, 5);
      average = average === undefined ? weight : 0.75 * average + 0.25 * weight;
      expect(state.get("ema/line.weight")![0]).toBeCloseTo(average, 6);
    });
    await expect(training({ batch: 7, averaged: true }, plain).close()).rejects.toThrow(
      "ema/line.weight is evaluated, and nothing updates it; wrap the optimizer",
    );
  });

  test.each<[Options, ((rows: Rows) => job.Value) | undefined, string]>([
    [{}, undefined, "validation: give one of batch, the rows of a training step, and every"],
    [{ batch: 2, every: 2 }, undefined, "give one of batch"],
    [{ batch: 8 }, undefined, "batch is 8, and there are 7 rows; take at most 7"],
    [{ every: 0 }, undefined, "every is 0; take a whole number from 1"],
    [{ batch: 3 }, ({ rows }) => reshape(rows, [1, 3]), "the body returns f32[1, 3]; return f32 [3, …] or a scalar"],
    [{ batch: 3 }, () => 3 as never, "the body returns 3; return f32 [3, …]"],
  ])("refuses %j", async (options, body, message) => {
    await expect(training(options, plain, body).close()).rejects.toThrow(message);
  });

  test("refuses a body that updates the state, and one that makes a new parameter", async () => {
    const bodyOf = (body: (context: job.Context, rows: job.Value) => job.Value) =>
      defineJob({
        name: "line",
        steps: 1,
        data,
        loss: (context) => {
          const loss = mean(linear(context, "line", context.data.x, 1));
          const own = context as unknown as job.Context;
          evaluateRows(own, "validation", { rows: context.data.rows }, { batch: 7 }, ({ rows }) => ({
            v: body(own, rows),
          }));
          return loss;
        },
        optimizer: plain,
      }).close();
    await expect(
      bodyOf((context, rows) => {
        context.update(context.step, context.step);
        return rows;
      }),
    ).rejects.toThrow("update() is called while the model is evaluated");
    await expect(bodyOf((context, rows) => linear(context, "other", rows, 1))).rejects.toThrow(
      "there is no parameter other.weight that could be used once more",
    );
  });
});

describe("a job without an optimizer", () => {
  const evaluation = defineJob({
    name: "accuracy",
    steps: 3,
    data,
    loss: (context) => {
      const { error, hits } = evaluateRows(context, "test", { rows: context.data.rows }, { batch: 3 }, ({ rows }) => {
        const y = dropout(linear(context, "line", rows, 1), context.random, 0.5);
        return { error: square(y), hits: y };
      });
      context.metric("hits", hits);
      return error;
    },
  });

  test("evaluates given weights, and changes none", async () => {
    const closed = await evaluation.close();
    expect(countByTraining(closed)).toEqual({ trained: 0, frozen: 2 });
    const given = [
      { name: "line.weight", ...tensor([1, 1], [0.5]) },
      { name: "line.bias", ...tensor([1], [1]) },
    ];
    const { job: started } = await startFrom(closed, given);
    const states = await statesOf(started);
    const values = ROWS.map((row) => row * 0.5 + 1);
    [3, 6, 7].forEach((count, i) => {
      const rows = values.slice(0, count);
      expect(states[i].get("metrics/hits")![0]).toBeCloseTo(rows.reduce((a, b) => a + b) / count, 5);
      expect(states[i].get("metrics/loss")![0]).toBeCloseTo(rows.reduce((a, b) => a + b * b, 0) / count, 5);
    });
    expect(states[2].get("line.weight")).toEqual([0.5]);
  });
});

test("batch norm is evaluated with its running statistics, which only training moves", async () => {
  const closed = await defineJob({
    name: "batch-norm",
    steps: 3,
    data,
    loss: (context) => {
      const model = (x: job.Value): job.Value => batchNormLayer(context, "norm", linear(context, "line", x, 2));
      const loss = mean(square(sub(model(context.data.x), context.data.y)));
      const { value } = evaluateRows(context, "validation", { rows: context.data.rows }, { batch: 1 }, ({ rows }) => ({
        value: model(rows),
      }));
      context.metric("value", value);
      return loss;
    },
    optimizer: () => sgd({ learningRate: 0.1 }),
  }).close();
  const [first, second] = await statesOf(closed);
  expect(first.get("norm.running_mean")).not.toEqual([0, 0]);
  expect(second.get("norm.running_mean")).not.toEqual(first.get("norm.running_mean"));
  expect(closed.step.outputs.filter(({ name }) => name.includes("running_mean"))).toHaveLength(1);
  // With the statistics of a batch of one row, a result would be 0 whatever the weights are.
  expect(first.get("metrics/value")![0]).not.toBe(0);
});

test("a model is used once more with the same weights", async () => {
  const twice = defineJob({
    name: "twice",
    steps: 1,
    data,
    loss: (context) => {
      const left = linear(context, "line", context.data.x, 1);
      const right = context.reuse(() => linear(context, "line", context.data.y, 1));
      expect(() => context.reuse(() => linear(context, "line", context.data.y, 2))).toThrow(
        "line.weight is f32[1, 1], and is to be used once more as f32[1, 2]",
      );
      expect(() => linear(context, "line", context.data.y, 1)).toThrow(
        "two entries of the state are called line.weight",
      );
      return sum(mul(left, right));
    },
    optimizer: plain,
  });
  expect(countByTraining(await twice.close())).toEqual({ trained: 2, frozen: 0 });
});
