/** Layers in small jobs: what they add to the state, what they learn, and what they refuse. */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { stateTypes } from "../../src/job/closed.ts";
import { parametersOf } from "../../src/job/parameters.ts";
import {
  adaptiveAvgPool2d,
  attention,
  batchNormLayer,
  type Context,
  conv1dLayer,
  conv2dLayer,
  crossEntropy,
  defineJob,
  groupNormLayer,
  intTensor,
  linear,
  maxPool2d,
  mean,
  relu,
  reshape,
  residual,
  rmsNormLayer,
  sgd,
  square,
  swiGlu,
  type Value,
} from "../../src/job/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { run } from "../../src/trace/index.ts";
import { generator, randomTensor } from "../graph/numeric.ts";

const images = randomTensor([6, 2, 6, 6], generator(7));
const labels = intTensor([6], [0, 1, 2, 0, 1, 2]);

const jobOf = (loss: (job: Context<{ x: Value; y: Value }>) => Value, x = images, steps = 12) =>
  defineJob({
    name: "layers",
    steps,
    data: () => ({ x, y: labels }),
    loss,
    optimizer: () => sgd({ learningRate: 0.1 }),
  }).close();

const names = async (closed: ReturnType<typeof jobOf>): Promise<string[]> =>
  stateTypes(await closed).flatMap(({ name, shape }) =>
    /^(rng|step|metrics|optim)/.test(name) ? [] : [`${name} [${shape.join(", ")}]`],
  );

/** Runs a job on two backends, and gives its losses. */
async function losses(closed: ReturnType<typeof jobOf>): Promise<number[]> {
  const job = await closed;
  const [slow, fast] = [await run(job, { backend: reference }), await run(job, { backend: wasm })];
  expect(toHex(fast.runRoot)).toBe(toHex(slow.runRoot));
  return slow.metrics.map(({ loss }) => loss);
}

describe("a convnet", () => {
  const closed = jobOf((job) => {
    const first = relu(
      batchNormLayer(job, "norm", conv2dLayer(job, "stem", job.data.x, 4, 3, { padding: 1, bias: false })),
    );
    const second = groupNormLayer(
      job,
      "groups",
      conv2dLayer(job, "body", maxPool2d(first, 2), 6, [3, 2], { groups: 2 }),
      3,
    );
    const pooled = reshape(adaptiveAvgPool2d(relu(second), 1), [6, 6]);
    return crossEntropy(linear(job, "classes", pooled, 3), job.data.y);
  });

  test("has its parameters and running statistics in the state", async () =>
    expect(await names(closed)).toEqual([
      "stem.weight [4, 2, 3, 3]",
      "norm.weight [4]",
      "norm.bias [4]",
      "body.weight [6, 2, 3, 2]",
      "body.bias [6]",
      "groups.weight [6]",
      "groups.bias [6]",
      "classes.weight [6, 3]",
      "classes.bias [3]",
      "norm.running_mean [4]",
      "norm.running_var [4]",
    ]));

  test("has statistics that are no parameters", async () => {
    const parameters = parametersOf(await closed).map(({ name }) => name);
    expect(parameters).toHaveLength(9);
    expect(parameters).not.toContain("norm.running_mean");
  });

  test("learns, with the same bits on two backends", async () => {
    const [, first, ...rest] = await losses(closed);
    expect(rest.at(-1)).toBeLessThan(0.8 * first);
  });
});

describe("batch norm", () => {
  /** The running mean and variance after some steps. */
  async function statistics(training: boolean, steps: number): Promise<number[][]> {
    const loss = (job: Context<{ x: Value; y: Value }>): Value =>
      mean(square(batchNormLayer(job, "n", job.data.x, { momentum: 0.25, training })));
    const job = await jobOf(loss, images, steps);
    const { state } = await run(job, { backend: reference });
    const entry = (name: string): number[] => [...state[stateTypes(job).findIndex((type) => type.name === name)].data];
    return [entry("n.running_mean"), entry("n.running_var")];
  }

  test("moves the running statistics as PyTorch does: the variance is unbiased", async () => {
    const channels = [0, 1].map((c) => [...images.data].filter((_, i) => Math.floor(i / 36) % 2 === c));
    const means = channels.map((values) => values.reduce((a, b) => a + b) / values.length);
    const variances = channels.map(
      (values, c) => values.reduce((total, x) => total + (x - means[c]) ** 2, 0) / (values.length - 1),
    );
    const [mean, variance] = await statistics(true, 2);
    const kept = 0.75 ** 2;
    for (const c of [0, 1]) {
      expect(mean[c]).toBeCloseTo(means[c] * (1 - kept), 6);
      expect(variance[c]).toBeCloseTo(kept + variances[c] * (1 - kept), 6);
    }
  });

  test("leaves them as they are in its evaluation form", async () =>
    expect(await statistics(false, 2)).toEqual([
      [0, 0],
      [1, 1],
    ]));
});

describe("a block as in Llama", () => {
  const tokens = randomTensor([6, 5, 8], generator(9));
  const closed = jobOf(
    (job) => {
      const options = { heads: 4, kvHeads: 2, isCausal: true, window: 3, rotary: true, bias: false };
      const mixed = residual(job, "mixed", job.data.x, (x) =>
        attention(job, "attention", rmsNormLayer(job, "norm", x), options),
      );
      const out = residual(job, "fed", mixed, (x) => swiGlu(job, "mlp", rmsNormLayer(job, "norm", x), 12), 0.1);
      return crossEntropy(linear(job, "classes", mean(out, [1]), 3), job.data.y);
    },
    tokens,
    30,
  );

  test("has its parameters in the state", async () =>
    expect(await names(closed)).toEqual([
      "mixed.norm.weight [8]",
      "mixed.attention.q.weight [8, 8]",
      "mixed.attention.k.weight [8, 4]",
      "mixed.attention.v.weight [8, 4]",
      "mixed.attention.out.weight [8, 8]",
      "fed.norm.weight [8]",
      "fed.mlp.gate.weight [8, 12]",
      "fed.mlp.up.weight [8, 12]",
      "fed.mlp.down.weight [12, 8]",
      "classes.weight [8, 3]",
      "classes.bias [3]",
    ]));

  test("learns, with the same bits on two backends", async () => {
    const [, first, ...rest] = await losses(closed);
    expect(rest.at(-1)).toBeLessThan(0.9 * first);
  });
});

describe("a layer refuses", () => {
  const refusal = async (loss: (job: Context<{ x: Value; y: Value }>) => Value): Promise<string> => {
    try {
      await jobOf((job) => job.scope("net", () => loss(job)));
    } catch (error) {
      return (error as Error).message;
    }
    return "nothing";
  };
  const flat = (job: Context<{ x: Value; y: Value }>): Value => reshape(job.data.x, [6, 9, 8]);

  for (const [says, loss] of [
    [
      "net/c: takes [examples, channels] and 1 more axes, not f32[6, 2, 6, 6]",
      (job) => conv1dLayer(job, "c", job.data.x, 3, 3),
    ],
    [
      "net/c: 4 groups do not divide 2 channels and 4 outputs",
      (job) => conv2dLayer(job, "c", job.data.x, 4, 3, { groups: 4 }),
    ],
    ["net/c: bias is 1; take true or false", (job) => conv2dLayer(job, "c", job.data.x, 4, 3, { bias: 1 as never })],
    [
      "net/c/conv2d: a kernel that reaches over 9 elements does not fit an axis of 6",
      (job) => conv2dLayer(job, "c", job.data.x, 4, 9),
    ],
    ["net/a: 4 heads can't share 3 heads of keys", (job) => attention(job, "a", flat(job), { heads: 4, kvHeads: 3 })],
    ["net/a: a width of 8 can't be split among 3 heads", (job) => attention(job, "a", flat(job), { heads: 3 })],
    ["net/a: attention takes [batch, length, dim]", (job) => attention(job, "a", job.data.x, { heads: 2 })],
    ["net/a/attention: window needs isCausal", (job) => attention(job, "a", flat(job), { heads: 2, window: 2 })],
    ["net/n: momentum is 2; take a number", (job) => batchNormLayer(job, "n", job.data.x, { momentum: 2 })],
    ["net/g/group-norm: 2 channels can't be split into 3 groups", (job) => groupNormLayer(job, "g", job.data.x, 3)],
    [
      "net/r: the body gives f32[6] for f32[6, 2, 6, 6]",
      (job) => residual(job, "r", job.data.x, (x) => mean(x, [1, 2, 3])),
    ],
    ["net/s: there is no option hiden", (job) => swiGlu(job, "s", job.data.x, 3, { hiden: 3 } as never)],
  ] as [string, (job: Context<{ x: Value; y: Value }>) => Value][])
    test(says, async () => expect(await refusal(loss)).toContain(says));
});
