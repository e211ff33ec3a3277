/** A run whose labels are no classes stops, and says where. */
import { expect, test } from "vitest";
import { crossEntropy, defineJob, intTensor, linear, sgd, tensor } from "../../src/job/index.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { wasm } from "../../src/repops/backends/wasm/backend.ts";
import { run } from "../../src/trace/index.ts";

const jobWith = (labels: number[]) =>
  defineJob({
    name: "labels",
    steps: 3,
    data: () => ({ x: tensor([3, 2], [1, 2, 3, 4, 5, 6]), y: intTensor([3], labels) }),
    loss: (job) => job.scope("head", () => crossEntropy(linear(job, "classes", job.data.x, 4), job.data.y)),
    optimizer: () => sgd({ learningRate: 0.1 }),
  }).close();

test("a label that is no class stops the run at the first training step", async () => {
  const job = await jobWith([0, 4, -1]);
  for (const backend of [reference, wasm]) {
    const seen: number[] = [];
    await expect(run(job, { backend, onStep: ({ step }) => seen.push(step) })).rejects.toMatchObject({
      code: "VERDE_VALUE_LABEL",
      message: expect.stringContaining("head/cross-entropy-target: 2 labels are no class at training step 1"),
      evidence: { operator: "head/cross-entropy-target", count: 2, step: 1 },
    });
    expect(seen).toEqual([0]);
  }
});

test("labels that are ignored do not", async () => {
  const { outOfRange, metrics } = await run(await jobWith([0, -100, 3]), { backend: reference });
  expect(outOfRange).toEqual([]);
  expect(metrics[3].loss).toBeLessThan(metrics[1].loss);
});
