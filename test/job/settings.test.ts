/** Every option of every public function: its name, its range, and what it becomes in binary32. */
import { describe, expect, test } from "vitest";
import * as job from "../../src/job/index.ts";
import { closest } from "../../src/errors/closest.ts";
import type { Context, GptOptions, Value } from "../../src/job/index.ts";
import { loadJob } from "../../src/job/load.ts";

const { adamW, constant, constantRate, defineJob, normal, sgd, tensor, uniform, warmupCosine } = job;
const code = "VERDE_JOB_SETTING";

/** Closes a job whose loss is the mean of what `body` makes. */
const closed = (body: (context: Context, x: Value) => Value): Promise<unknown> =>
  defineJob({
    name: "settings",
    steps: 1,
    data: () => ({ x: tensor([4, 6], new Array(24).fill(0.5)), k: job.intTensor([8], [0, 1, 2, 3, 4, 5, 6, 7]) }),
    loss: (context) => job.mean(body(context as unknown as Context, context.data.x)),
    optimizer: () => sgd({ learningRate: 0.1 }),
  }).close();

describe("options of unknown names", () => {
  test.each<[string, () => unknown, string]>([
    [
      "adamW",
      () => adamW({ learningRate: 0.1, clipnorm: 1 } as never),
      "adamW: there is no option clipnorm; did you mean clipNorm?",
    ],
    [
      "adamW",
      () => adamW({ learningRate: 0.1, toString: 5 } as never),
      "there is no option toString; choose from learningRate",
    ],
    ["adamW", () => adamW({ learningRate: 0.1, constructor: 5 } as never), "there is no option constructor"],
    [
      "adamW",
      () => adamW(JSON.parse('{ "learningRate": 0.1, "__proto__": 1 }') as never),
      "there is no option __proto__",
    ],
    ["adamW", () => adamW({ __proto__: { learningRate: 0.1 } } as never), "takes its options as an object"],
    ["sgd", () => sgd({ learningRate: 0.1, momentun: 0.9 } as never), "did you mean momentum?"],
    ["sgd", () => sgd(undefined as never), "sgd: takes its options as an object, not undefined"],
    ["warmupCosine", () => warmupCosine({ peak: 1, warmUp: 2, warmup: 2, steps: 10 } as never), "did you mean warmup?"],
    ["defineJob", () => defineJob({ name: "x", optimiser: 1 } as never), "did you mean optimizer?"],
    ["defineJob", () => defineJob({ name: "x", steps: 1, data: 1 } as never), "x: its data is 1; write a function"],
  ])("%s", (_, call, message) =>
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) })),
  );

  test.each<[string, (context: Context, x: Value) => Value, string]>([
    ["linear", (context, x) => job.linear(context, "l", x, 2, { biass: false } as never), "did you mean bias?"],
    [
      "sampleWindows",
      (context) => job.toFloat(job.sampleWindows(context, context.data.k, { batch: 1, len: 2 } as never).inputs),
      "no option len",
    ],
    ["gpt", (context) => job.gpt(context, context.data.k, { vocab: 8 } as never), "did you mean vocabulary?"],
  ])("%s", async (_, body, message) => {
    await expect(closed(body)).rejects.toThrow(message);
  });

  test("of a job, with what every object inherits", async () => {
    await expect(loadJob("examples/mlp-spirals.ts", { toString: 5 })).rejects.toMatchObject({
      code: "VERDE_JOB_OPTION_UNKNOWN",
    });
    await expect(loadJob("examples/mlp-spirals.ts", { hiden: 5 })).rejects.toThrow("did you mean --hidden?");
    expect(() =>
      defineJob({
        name: "x",
        steps: 1,
        options: { valueOf: 1 },
        data: () => ({}),
        loss: () => 0 as never,
        optimizer: () => 0 as never,
      }),
    ).toThrow("can't have an option valueOf");
  });

  test("the closest name is one that is alike", () => {
    expect(closest("learning-rate", ["learningRate", "beta1"])).toBe("learningRate");
    expect(closest("xyz", ["learningRate", "beta1"])).toBeUndefined();
  });
});

describe("values, and what they become", () => {
  test.each<[string, () => unknown, string]>([
    [
      "beta2 that rounds to 1",
      () => adamW({ learningRate: 0.1, beta2: 0.9999999999 }),
      "adamW: beta2 is 0.9999999999, which becomes 1 in binary32",
    ],
    ["beta1 of 1", () => adamW({ learningRate: 0.1, beta1: 1 }), "beta1 is 1; take a number at least 0 and below 1"],
    [
      "an epsilon that rounds to 0",
      () => adamW({ learningRate: 0.1, epsilon: 1e-40 }),
      "epsilon is 1e-40, which becomes 0",
    ],
    [
      "a negative decay",
      () => adamW({ learningRate: 0.1, weightDecay: -1 }),
      "weightDecay is -1; take a number at least 0",
    ],
    ["a rate of NaN", () => adamW({ learningRate: NaN }), "learningRate is NaN, not a number"],
    ["no rate", () => sgd({} as never), "sgd: learningRate is undefined, not a number"],
    ["a rate that rounds to 0", () => sgd({ learningRate: 1e-50 }), "learningRate is 1e-50, which becomes 0"],
    [
      "a rate that is a text",
      () => sgd({ learningRate: "0.1" as never }),
      'learningRate is the text "0.1", not a number',
    ],
    ["a rate above vf32", () => constantRate(2 ** 128), "above the greatest vf32"],
    ["a momentum that rounds to 1", () => sgd({ learningRate: 1, momentum: 1 - 1e-12 }), "becomes 1 in binary32"],
    ["a norm of 0", () => sgd({ learningRate: 1, clipNorm: 0 }), "clipNorm is 0; take a number above 0"],
    [
      "a norm that rounds to 0",
      () => adamW({ learningRate: 1, clipNorm: 1e-45 }),
      "clipNorm is 1e-45, which becomes 0: the least magnitude of a vf32 is 2^-125; take a larger one",
    ],
    ["a peak that is negative", () => warmupCosine({ peak: -1, warmup: 1, steps: 3 }), "peak is -1"],
    [
      "a warm-up as long as the steps",
      () => warmupCosine({ peak: 1, warmup: 3, steps: 3 }),
      "the warm-up has to be shorter",
    ],
    [
      "a slope that rounds to 0",
      () => warmupCosine({ peak: 2 ** -125, warmup: 2, steps: 3 }),
      "divided by the steps of warm-up",
    ],
    ["a constant of NaN", () => constant(NaN), "constant: the value is NaN"],
    ["an infinite deviation", () => normal(Infinity), "the deviation is Infinity"],
    ["a negative limit", () => uniform(-1), "uniform: the limit is -1; take a number at least 0"],
  ])("%s", (_, call, message) =>
    expect(call).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) })),
  );

  test.each<[string, (context: Context, x: Value) => Value, string]>([
    [
      "linear of no outputs",
      (context, x) => job.linear(context, "l", x, 0),
      "l: the number of its outputs is 0; take a whole number from 1",
    ],
    [
      "linear without the context",
      (_, x) => job.linear(x as never, "l", x, 1),
      "linear: the first argument is a Value; pass the context",
    ],
    [
      "linear without a name",
      (context, x) => job.linear(context, x as never, 3 as never, 1),
      "linear: the name of the layer is a Value",
    ],
    [
      "embedding of half a row",
      (context) => job.embedding(context, "e", context.data.k, 2.5, 3),
      "the number of rows is 2.5",
    ],
    [
      "dropout that rounds to 1",
      (context, x) => job.dropout(x, context.random, 1 - 1e-12),
      "dropout: the rate is 0.999999999999, which becomes 1",
    ],
    [
      "attention of no heads",
      (context, x) => job.causalSelfAttention(context, "a", job.reshape(x, [1, 4, 6]), 0),
      "a: the number of heads is 0",
    ],
    ["norm with a negative epsilon", (context, x) => job.norm(context, "n", x, -1), "n: epsilon is -1"],
    [
      "rows of no batch",
      (context, x) => job.sampleRows(context, { x }, 0).x,
      "sampleRows: batch is 0; take a whole number from 1",
    ],
    [
      "layerNorm of the context",
      (context, x) => job.layerNorm(context as never, "n" as never, x),
      "layer-norm: x is a Context; pass a value of a graph; operators take no context",
    ],
    [
      "a parameter of no elements",
      (context) => context.parameter("w", [2, 0], job.zeros),
      "w: a parameter of shape [2, 0] has no elements to train",
    ],
    [
      "a parameter without an initializer",
      (context) => context.parameter("w", [2], undefined as never),
      "w: its initializer is undefined",
    ],
  ])("%s", async (_, body, message) => {
    await expect(closed(body)).rejects.toThrow(message);
  });

  test("GPT sizes", async () => {
    const good: GptOptions = { vocabulary: 8, layers: 1, heads: 2, dim: 4, context: 4 };
    for (const wrong of [
      { heads: 0 },
      { dim: 0 },
      { context: 1.5 },
      { vocabulary: -1 },
      { dropout: 1 },
      { layers: -1 },
    ])
      await expect(
        closed((context) => job.gpt(context, job.reshape(context.data.k, [2, 4]), { ...good, ...wrong })),
      ).rejects.toMatchObject({ code, message: expect.stringContaining(`gpt: ${Object.keys(wrong)[0]} is `) });
    await closed((context) => job.gpt(context, job.reshape(context.data.k, [2, 4]), good));
  });

  test("of the examples: no batch and no hidden units", async () => {
    await expect(loadJob("examples/mlp-spirals.ts", { batch: 0 })).rejects.toThrow("batch is 0");
    await expect(loadJob("examples/char-gpt.ts", { batch: 0 })).rejects.toThrow("batch is 0");
    await expect(loadJob("examples/mlp-spirals.ts", { hidden: 0 })).rejects.toThrow(
      "layer1: the number of its outputs is 0",
    );
  });

  test("uniform(0) and constant(-0) are zeros", async () => {
    for (const init of [uniform(0), constant(-0), normal(0)])
      await closed((context, x) => job.mul(x, context.parameter("w", [6], init)));
  });
});
