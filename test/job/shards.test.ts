/** A job whose batch is cut into shards: the labels, the sums, and what it leaves as it is. */
import { describe, expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { shardOfLabel, shardsOf } from "../../src/graph/shards.ts";
import { operandsOf } from "../../src/repops/kernels/kernel.ts";
import {
  accumulate,
  adamW,
  batchNormLayer,
  type ClosedJob,
  type Context,
  crossEntropy,
  defineJob,
  dropout,
  epochRows,
  evaluateRows,
  gelu,
  intTensor,
  linear,
  mean,
  sampleRows,
  sampleWindows,
  sgd,
  shardRows,
  slice,
  square,
  stopGradient,
  sub,
  tensor,
  toFloat,
  type Value,
} from "../../src/job/index.ts";
import { jobId } from "../../src/job/closed.ts";
import { intZeros } from "../../src/job/counter.ts";
import { needsOf } from "../../src/trace/fits.ts";
import { run } from "../../src/trace/run.ts";
import { statesOf } from "./optimizers/given-slopes.ts";

const ROWS = 24;
const x = Array.from({ length: ROWS * 3 }, (_, i) => ((i * 7) % 11) / 8 - 0.5);
const y = Array.from({ length: ROWS }, (_, i) => (i * 5) % 3);
const data = () => ({ x: tensor([ROWS, 3], x), y: intTensor([ROWS], y) });
type Loss = (job: Context) => Value;

const close = (loss: Loss, shards?: number | (() => number)): Promise<ClosedJob> =>
  defineJob({
    name: "cut",
    steps: 3,
    data,
    loss: loss as never,
    optimizer: () => adamW({ learningRate: 0.1, clipNorm: 1 }),
    ...(shards !== undefined && { shards }),
  }).close();

const rowsOf = ({ data: { x, y } }: Context) => ({ x, y });
const classifier =
  (draw: (job: Context) => { x: Value; y: Value }): Loss =>
  (job) => {
    const rows = draw(job);
    return crossEntropy(linear(job, "out", gelu(linear(job, "hidden", rows.x, 5)), 3), rows.y);
  };

const sampled = classifier((job) => sampleRows(job, rowsOf(job), 12));
const inEpochs = classifier((job) => epochRows(job, rowsOf(job), 12));
const whole = classifier((job) => shardRows(job, rowsOf(job)));

describe("a job with shards", () => {
  test.each([
    ["sampleRows", sampled],
    ["epochRows", inEpochs],
    ["shardRows", whole],
  ])("trains on the rows of %s as the whole batch does, but for rounding", async (_, loss) => {
    const [one, four] = await Promise.all([undefined, 4].map(async (shards) => statesOf(await close(loss, shards))));
    for (const [step, state] of one.entries())
      for (const [name, values] of state)
        values.forEach((value, i) =>
          expect(four[step].get(name)![i], `${name} after step ${step + 1}`).toBeCloseTo(value, 4),
        );
  });

  test("has the bits of sums that are added by hand in the order of the shards", async () => {
    const [cut, byHand] = await Promise.all([
      close(whole, 3),
      close((job) =>
        accumulate(job, 3, (part) => {
          const of = (value: Value) => slice(value, 0, part * 8, part * 8 + 8);
          return classifier(() => ({ x: of(job.data.x), y: of(job.data.y) }))(job);
        }),
      ),
    ]);
    const [a, b] = await Promise.all([cut, byHand].map((job) => run(job)));
    const bits = (state: typeof a.state) =>
      new Map(state.map(({ name, data: elements }) => [name, [...new Uint32Array(elements.buffer as ArrayBuffer)]]));
    expect(bits(a.state)).toEqual(bits(b.state));
  });

  test("labels each operator with its shard, and reads no other shard's", async () => {
    const { step } = await close(sampled, 4);
    const own = step.labels.map(shardOfLabel);
    const counts = [0, 1, 2, 3].map((shard) => own.filter((each) => each === shard).length);
    expect(new Set(counts).size).toBe(1);
    expect(counts[0]).toBeGreaterThan(10);
    for (const [i, kernel] of step.kernels.entries())
      for (const tensor of operandsOf(kernel)) {
        const other = own[tensor - step.inputs.length];
        if (own[i] !== undefined && other !== undefined) expect(other, step.labels[i]).toBe(own[i]);
      }
    expect(step.labels).toContain("shard 3/out/matmul");
    expect(step.labels.filter((label) => label.startsWith("shards/") && label.endsWith("/out.weight"))).toEqual([
      "shards/sum 1/out.weight",
      "shards/sum 2/out.weight",
      "shards/sum 3/out.weight",
      "shards/mean/out.weight",
    ]);
    // What all shards compute alike belongs to none.
    expect(step.labels.filter((label) => label.endsWith("batch/rows"))).toContain("batch/rows");
  });

  test("gives every shard the loss and the gradients, and nothing else, to pass on", async () => {
    const job = await close(sampled, 4);
    const { count, outputs } = shardsOf(job.step)!;
    expect(count).toBe(4);
    for (const tensors of outputs) {
      const shapes = tensors.map((tensor) => job.step.kernels[tensor - job.step.inputs.length].type.shape.join("x"));
      expect(shapes.sort()).toEqual(["", "3", "3x5", "5", "5x3"].sort());
    }
    expect(shardsOf((await close(sampled)).step)).toBeUndefined();
  });

  test("keeps the parameters' names, and one shard is cut too", async () => {
    const [plain, one] = await Promise.all([close(sampled), close(sampled, 1)]);
    expect(one.step.inputs).toEqual(plain.step.inputs);
    expect(shardsOf(one.step)?.count).toBe(1);
    const [a, b] = await Promise.all([plain, one].map((job) => run(job)));
    expect(a.metrics).toEqual(b.metrics);
  });

  test("needs the memory of one shard", async () => {
    const text = () => ({ text: intTensor([400], new Array<number>(400).fill(1)) });
    const bytes = [1, 4].map(async (shards) => {
      const job = await defineJob({
        name: "memory",
        steps: 1,
        shards,
        data: text,
        loss: (context) => {
          const { inputs } = sampleWindows(context, context.data.text, { batch: 64, length: 32 });
          return mean(square(gelu(gelu(linear(context, "a", toFloat(inputs), 32)))));
        },
        optimizer: () => sgd({ learningRate: 1 }),
      }).close();
      return needsOf(job).outputs;
    });
    const [one, four] = await Promise.all(bytes);
    expect(four).toBeLessThan(one / 2);
  });

  test("takes the mean of metrics and statistics, and evaluates once", async () => {
    const loss: Loss = (job) => {
      const { x: rows, y: labels } = sampleRows(job, { x: job.data.x, y: job.data.y }, 12);
      const hidden = batchNormLayer(job, "norm", linear(job, "hidden", rows, 5));
      job.metric("size", mean(rows));
      const model = (value: typeof rows) => linear(job, "hidden", value, 5);
      const { error } = evaluateRows(job, "held", { x: job.data.x }, { batch: 6 }, (held) => ({
        error: square(model(held.x)),
      }));
      job.metric("held", error);
      return crossEntropy(linear(job, "out", dropout(hidden, job.random, 0.2), 3), labels);
    };
    const [one, three] = await Promise.all([undefined, 3].map((shards) => close(loss, shards)));
    expect(three.step.inputs).toEqual(one.step.inputs);
    expect(three.step.labels.filter((label) => label.includes("held/ends"))).toEqual(["held/ends"]);
    const [a, b] = await Promise.all([one, three].map((job) => run(job)));
    expect(b.metrics[1].size).toBeCloseTo(a.metrics[1].size, 5);
    expect(b.metrics[1].held).toBe(a.metrics[1].held);
    const mean3 = (state: typeof a.state) => [...state.find(({ name }) => name === "norm.running_mean")!.data];
    expect(mean3(b.state)).not.toEqual(mean3(a.state));
  });

  test("keeps ids and bits of jobs without shards", async () => {
    const [plain, other] = await Promise.all([close(sampled), close(sampled, 4)]);
    // Shards of other jobs have no influence on it.
    expect(toHex(jobId(plain))).toBe("0x5128809ad6b7f89ffe53db3d9824ea3621da9140d9b01303b34223d3c5b9140f");
    expect(toHex(jobId(other))).not.toBe(toHex(jobId(plain)));
  });

  test("refuses a batch that is not divisible, and a loss that does not depend on the shard", async () => {
    await expect(close(sampled, 5)).rejects.toThrow(
      "sampleRows: a batch of 12 can't be cut into 5 shards of equal size; take a multiple of 5",
    );
    await expect(close(classifier(rowsOf), 2)).rejects.toThrow("the loss reads the same rows in every shard");
    await expect(close(sampled, 0)).rejects.toThrow("the number of shards is 0");
    await expect(close(sampled, () => 1.5)).rejects.toThrow("the number of shards is 1.5");
    const uneven: Loss = (job) => {
      if (job.shard?.index === 1) epochRows(job, rowsOf(job), 12);
      return sampled(job);
    };
    await expect(close(uneven, 2)).rejects.toThrow("build the same loss for every shard");
    const states: Loss = (job) => {
      const kept = job.state("kept", { dtype: "i32", shape: [6] }, intZeros);
      job.update(kept, sampleRows(job, rowsOf(job), 12).y);
      return sampled(job);
    };
    await expect(close(states, 2)).rejects.toThrow("the shards update kept");
    const once: Loss = (job) => {
      if (job.shard!.index === 0) job.metric("first", mean(job.data.x));
      return sampled(job);
    };
    await expect(close(once, 2)).rejects.toThrow("shard 1 does not update metrics/first");
    const stopped: Loss = (job) => {
      const rows = shardRows(job, rowsOf(job)).x;
      const out = linear(job, "out", rows, 1);
      return mean(square(sub(linear(job, "b", rows, 1), stopGradient(out))));
    };
    expect((await close(stopped, 2)).step.labels).toContain("no-gradient");
  });
});
