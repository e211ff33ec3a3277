/** A parameter that no gradient reaches is refused when the job is closed, with the place of the cut. */
import { describe, expect, test } from "vitest";
import {
  add,
  Context,
  defineJob,
  elementwise,
  embedding,
  evaluate,
  gather,
  gradients,
  linear,
  map,
  maxRows,
  mean,
  mul,
  ones,
  reshape,
  sgd,
  square,
  stopGradient,
  sum,
  tensor,
  toFloat,
  toInt,
  type Value,
  zeros,
} from "../../src/job/index.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";

const HALF = defineProgram("f", (x) => x.mul(0.5));
const STEP = {
  forward: ({ a }) => a.lt(0).select(0, 1),
  gradient: {},
} satisfies Parameters<typeof elementwise>[1];

const jobOf = (loss: (job: Context, w: Value) => Value) =>
  defineJob({
    name: "cuts",
    steps: 2,
    data: () => ({
      x: tensor(
        [4, 3],
        Array.from({ length: 12 }, (_, i) => i / 8 - 0.5),
      ),
    }),
    loss: (job) =>
      job.scope("net", () => {
        const w = job.parameter("w", [4, 3], ones);
        const other = mean(square(linear(job, "other", job.data.x, 2)));
        return add(other, loss(job as unknown as Context, w));
      }),
    optimizer: () => sgd({ learningRate: 0.1 }),
  });

describe("a parameter without a gradient is refused", () => {
  test.each<[string, (job: Context, w: Value) => Value, string]>([
    ["map", (_, w) => mean(map(HALF, [w], { name: "half", shape: w.shape })), "the operator net/half"],
    ["toInt", (_, w) => mean(toFloat(toInt(w))), "the operator net/to-float"],
    ["maxRows", (_, w) => mean(maxRows(w)), "the operator net/max"],
    [
      "an element-wise operator without a gradient",
      (_, w) => mean(elementwise("sign", STEP, w)),
      "the operator net/sign",
    ],
    ["a view after the cut", (_, w) => mean(square(reshape(maxRows(w), [2, 2]))), "the operator net/max"],
    ["an index", (job, w) => mean(gather(job.data.x, toInt(reshape(w, [12])))), "the operator net/gather"],
  ])("%s", async (_, loss, place) => {
    await expect(jobOf(loss).close()).rejects.toMatchObject({
      code: "VERDE_JOB_NO_GRADIENT",
      message: expect.stringContaining(
        `no gradient reaches the parameter net.w: its path to the loss is cut at ${place}`,
      ),
    });
  });

  test("that the loss does not depend on", async () => {
    await expect(jobOf((job) => sum(mul(job.data.x, 0))).close()).rejects.toThrow(
      "no gradient reaches the parameter net.w: the loss does not depend on it",
    );
  });

  test("but not one that another path reaches", async () => {
    await jobOf((_, w) => mean(add(w, toFloat(toInt(w))))).close();
    // The embedding's index is cut, and its table is trained.
    await jobOf((job, w) => add(mean(w), mean(embedding(job, "rows", toInt(maxRows(w)), 5, 3)))).close();
  });

  test("nor one that stopGradient keeps from training, wherever it stands", async () => {
    const before = await jobOf((_, w) => mean(stopGradient(w))).close();
    expect(before.step.outputs.map(({ name }) => name)).toContain("net.w");
    await jobOf((_, w) => mean(stopGradient(square(w)))).close();
    await jobOf((_, w) => mean(toFloat(toInt(stopGradient(w))))).close();
    await expect(jobOf((job, w) => add(mean(maxRows(w)), mean(stopGradient(job.data.x)))).close()).rejects.toThrow(
      "cut at the operator net/max",
    );
  });
});

describe("freeze", () => {
  const frozen = defineJob({
    name: "frozen",
    steps: 2,
    data: () => ({ x: tensor([4, 3], new Array(12).fill(0.5)) }),
    loss: (job) => {
      const hidden = job.freeze(() => linear(job, "hidden", job.data.x, 5));
      expect(job.parameters).toEqual([]);
      const y = linear(job, "out", hidden, 1);
      expect(job.parameters.map(({ name }) => name)).toEqual(["out.weight", "out.bias"]);
      return mean(square(y));
    },
    optimizer: () => sgd({ learningRate: 0.1, momentum: 0.5 }),
  });

  test("leaves parameters in the state, where no step changes them", async () => {
    const { step } = await frozen.close();
    const names = step.outputs.map(({ name }) => name);
    expect(names.slice(0, 4)).toEqual(["hidden.weight", "hidden.bias", "out.weight", "out.bias"]);
    expect(step.outputs.slice(0, 2).map(({ tensor: number }) => number)).toEqual([0, 1]);
    expect(step.outputs.slice(2, 4).every(({ tensor: number }) => number >= step.inputs.length)).toBe(true);
    expect(names.filter((name) => name.startsWith("optimizer/"))).toEqual([
      "optimizer/velocity/out.weight",
      "optimizer/velocity/out.bias",
    ]);
  });

  test("of everything leaves nothing to train", async () => {
    const all = defineJob({
      name: "all",
      steps: 1,
      data: () => ({ x: tensor([2], [1, 2]) }),
      loss: (job) => job.freeze(() => mean(mul(job.data.x, job.parameter("w", [2], zeros)))),
      optimizer: () => sgd({ learningRate: 0.1 }),
    });
    await expect(all.close()).rejects.toMatchObject({ code: "VERDE_JOB_NO_PARAMETERS" });
  });
});

test("an optimizer that leaves a parameter out is refused, and the parameter is named", async () => {
  const lazy = defineJob({
    name: "lazy",
    steps: 1,
    data: () => ({ x: tensor([2], [1, 2]) }),
    loss: (job) => mean(mul(job.data.x, job.parameter("w", [2], zeros))),
    optimizer: () => () => {},
  });
  await expect(lazy.close()).rejects.toThrow("the optimizer of lazy does not update the parameter w; call update()");
});

describe("gradients of gradients", () => {
  const twice = (second: (slope: Value) => Value) =>
    evaluate(
      ({ x }) => {
        const [slope] = gradients(sum(mul(square(x), x)), [x]);
        return gradients(sum(second(slope)), [x])[0];
      },
      { x: tensor([3], [1, 2, 3]) },
    );

  test("are refused, and the gradient is named", async () => {
    await expect(twice(square)).rejects.toMatchObject({
      code: "VERDE_GRAPH_GRADIENT",
      message: expect.stringContaining("gradients of gradients are not supported"),
    });
  });

  test("are zero where stopGradient says so", async () => {
    expect([...(await twice(stopGradient)).data]).toEqual([0, 0, 0]);
  });
});
