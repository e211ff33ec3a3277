/** Gradient accumulation: the gradients of micro-batches as those of one batch. */
import { describe, expect, test } from "vitest";
import {
  accumulate,
  type Context,
  crossEntropy,
  defineJob,
  gelu,
  gpt,
  intTensor,
  linear,
  mean,
  sampleWindows,
  sgd,
  slice,
  square,
  tensor,
} from "../../src/job/index.ts";
import { needsOf } from "../../src/trace/fits.ts";
import { statesOf } from "./optimizers/given-slopes.ts";

const ROWS = 12;
const x = Array.from({ length: ROWS * 3 }, (_, i) => ((i * 7) % 11) / 8 - 0.5);
const labels = Array.from({ length: ROWS }, (_, i) => i % 2);

const jobOf = (count: number, body?: (job: Context, part: number) => never) =>
  defineJob({
    name: "parts",
    steps: 3,
    data: () => ({ x: tensor([ROWS, 3], x), y: intTensor([ROWS], labels) }),
    loss: (job) => {
      const rows = ROWS / count;
      const lossOf = (part: number) => {
        if (body) return body(job as unknown as Context, part);
        const [from, to] = [part * rows, (part + 1) * rows];
        const hidden = gelu(linear(job, "hidden", slice(job.data.x, 0, from, to), 5));
        return crossEntropy(linear(job, "out", hidden, 2), slice(job.data.y, 0, from, to));
      };
      return accumulate(job, count, lossOf);
    },
    optimizer: () => sgd({ learningRate: 0.5, momentum: 0.5 }),
  }).close();

describe("accumulate", () => {
  test.each([2, 3, 12])("in %s micro-batches trains as the whole batch does, but for rounding", async (count) => {
    const [whole, parts] = await Promise.all([1, count].map(async (each) => statesOf(await jobOf(each))));
    for (const [step, state] of whole.entries())
      for (const [name, values] of state)
        values.forEach((value, i) =>
          expect(parts[step].get(name)![i], `${name} after step ${step + 1}`).toBeCloseTo(value, 5),
        );
    if (count === ROWS) expect(parts[2].get("hidden.weight")).not.toEqual(whole[2].get("hidden.weight"));
  });

  test("differentiates a micro-batch before the next one begins", async () => {
    const { step } = await jobOf(3);
    const at = (label: string): number[] =>
      step.labels.flatMap((each, i) => (each.split("/").at(-1) === label ? [i] : []));
    const [losses, slopes] = [at("cross-entropy-rows"), at("cross-entropy-gradient")];
    expect([losses.length, slopes.length]).toEqual([3, 3]);
    const inOrder = losses.flatMap((loss, i) => [loss, slopes[i]]);
    expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
    // All gradients of a micro-batch come before the next one.
    const products = at("matmul-gradient");
    const own = losses.map((loss, i) => products.filter((each) => each > loss && !(each > losses[i + 1])));
    expect(own.map(({ length }) => length)).toEqual([3, 3, 3]);
  });

  test("needs the memory of one micro-batch", async () => {
    const [whole, quarter] = await Promise.all(
      [1, 4].map(async (count) => {
        const closed = await defineJob({
          name: "memory",
          steps: 1,
          data: () => ({ text: intTensor([64], new Array<number>(64).fill(1)) }),
          loss: (job) =>
            accumulate(job, count, () => {
              const { inputs, targets } = sampleWindows(job, job.data.text, { batch: 16 / count, length: 32 });
              const sizes = { vocabulary: 16, layers: 2, heads: 2, dim: 16, context: 32 };
              return crossEntropy(gpt(job, inputs, sizes), targets);
            }),
          optimizer: () => sgd({ learningRate: 1 }),
        }).close();
        return needsOf(closed).outputs;
      }),
    );
    expect(quarter).toBeLessThan(whole / 3);
  });

  test("refuses what is no loss, and a count that is none", async () => {
    await expect(jobOf(2, ((job: Context) => square(job.data.x)) as never)).rejects.toThrow(
      "accumulate: the body returns f32[12, 3]; return an f32 scalar",
    );
    await expect(jobOf(0)).rejects.toThrow("the number of micro-batches is 0; take a whole number from 1");
    await expect(
      jobOf(2, ((job: Context, part: number) => mean(linear(job, `line${part}`, job.data.x, 1))) as never),
    ).rejects.toThrow("there is no parameter line1.weight that could be used once more");
  });
});
