/** A fault in each kernel of convolutions, pooling, norms, attention and losses, judged by the referee. */
import { describe, expect, test } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { DisputeError } from "../../src/errors/index.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import * as job from "../../src/job/index.ts";
import type { Context, Value } from "../../src/job/index.ts";
import { generator, randomTensor } from "../graph/numeric.ts";
import { disputeRemembered } from "./remembered-dispute.ts";

type Data = { x: Value; y: Value };

/** A job of one step that trains `body`, of which every kernel is disputed. */
function jobOf(shape: number[], body: (context: Context<Data>) => Value): Promise<ClosedJob> {
  return job
    .defineJob({
      name: "operators",
      steps: 1,
      data: () => ({
        x: randomTensor(shape, generator(5)),
        y: job.intTensor([shape[0]], shape[0] === 2 ? [1, -100] : [0, 1, 2]),
      }),
      loss: body,
      optimizer: () => job.sgd({ learningRate: 0.5 }),
    })
    .close();
}

const JOBS: Record<string, [number[], (context: Context<Data>) => Value]> = {
  "a convolution with groups and strides, and pooling": [
    [2, 2, 7, 6],
    (c) => {
      const y = job.conv2dLayer(c, "conv", c.data.x, 4, 3, { stride: 2, padding: 2, dilation: 1, groups: 2 });
      const pooled = job.add(job.maxPool2d(y, 2, { stride: 1 }), job.avgPool2d(y, 2, { stride: 1 }));
      const fixed = job.add(job.adaptiveMaxPool2d(pooled, 2), job.adaptiveAvgPool2d(pooled, 2));
      return job.crossEntropy(job.reshape(fixed, [2, 16]), c.data.y, { labelSmoothing: 0.1 });
    },
  ],
  "norms of channels": [
    [3, 4, 5],
    (c) => {
      const x = job.conv1dLayer(c, "conv", c.data.x, 4, 1);
      const y = job.groupNormLayer(c, "groups", job.batchNormLayer(c, "batch", x), 2);
      return job.huberLoss(y, job.stopGradient(job.reshape(c.data.x, [3, 4, 5])));
    },
  ],
  "attention with rotary positions and groups": [
    [2, 4, 8],
    (c) => {
      const x = job.rmsNormLayer(c, "norm", c.data.x);
      const y = job.attention(c, "attention", x, { heads: 2, kvHeads: 1, isCausal: true, window: 2, rotary: true });
      const [a, b] = [0, 1].map((i) => job.reshape(job.slice(y, 0, i, i + 1), [4, 8]));
      return job.contrastiveLoss(a, b, { temperature: 0.5 });
    },
  ],
};

/** The first element of a kernel whose flip reaches the state. */
async function disputed(closed: ClosedJob, kernel: number) {
  const elements = elementCount(closed.step.kernels[kernel].type.shape);
  for (let i = 0; i < Math.min(elements, 6); i++) {
    const element = (7 * kernel + i) % elements;
    const fault = { step: 1, at: { kernel }, element, flip: 1 << 29 };
    try {
      return await disputeRemembered({ job: closed, faults: [[], [fault]] });
    } catch (error) {
      if (!(error instanceof DisputeError)) throw error;
    }
  }
  return undefined;
}

/** One in the gate, and all with VERDE_SWEEP=1; every-operator.test.ts has each operator alone. */
const CHOSEN = Object.entries(JOBS).slice(0, process.env.VERDE_SWEEP === undefined ? 1 : undefined);

describe("the referee finds a fault in each kernel of", () => {
  for (const [title, [shape, body]] of CHOSEN)
    test(title, async () => {
      const closed = await jobOf(shape, body);
      const missed: string[] = [];
      for (const [kernel] of closed.step.kernels.entries()) {
        const found = await disputed(closed, kernel);
        if (!found) {
          missed.push(closed.step.labels[kernel]);
          continue;
        }
        const at = found.decision.path.find(({ level }) => level.name === "operator");
        expect(at?.index, closed.step.labels[kernel]).toBe(kernel);
        expect(found.decision.losers, closed.step.labels[kernel]).toEqual([1]);
      }
      // What changes no bit of the state can't be disputed, such as a place of a maximum that was not taken.
      expect(missed.length, missed.join(", ")).toBeLessThan(closed.step.kernels.length / 4);
    });
});
