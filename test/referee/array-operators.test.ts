/** A fault in each kernel of sorting, scatters, products, quantisation and sampling, judged by the referee. */
import { describe, expect, test } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { DisputeError } from "../../src/errors/index.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import * as job from "../../src/job/index.ts";
import type { Context, Value } from "../../src/job/index.ts";
import { generator, randomTensor } from "../graph/numeric.ts";
import { disputeRemembered } from "./remembered-dispute.ts";

type Data = { x: Value; index: Value };

/** A job of one step that trains `body`, of which every kernel is disputed. */
function jobOf(body: (context: Context<Data>, x: Value) => Value): Promise<ClosedJob> {
  return job
    .defineJob({
      name: "array operators",
      steps: 1,
      data: () => ({
        x: randomTensor([3, 6], generator(5)),
        index: job.intTensor([3, 6], [3, 1, 0, 4, 4, 2, 0, 5, 5, 1, 2, 3, 2, 2, 2, 0, 1, 4]),
      }),
      loss: (context) => body(context, job.linear(context, "w", context.data.x, 6)),
      optimizer: () => job.sgd({ learningRate: 0.5 }),
    })
    .close();
}

const JOBS: Record<string, (context: Context<Data>, x: Value) => Value> = {
  "sorting, and running sums and products": (_, x) => {
    const best = job.topk(x, 2, 0);
    const sums = job.cumsum(job.sort(x, 1, { descending: true }).values, 1);
    return job.add(
      job.mean(job.mul(sums, job.cumprod(x, 0))),
      job.sum(job.mul(best.values, job.toFloat(best.indices))),
    );
  },
  "scatters, and elements at an index": (context, x) => {
    const { index } = context.data;
    const added = job.scatterAdd(x, 1, index, x);
    const means = job.scatterMean(job.scatter(x, 1, index, added), index, 6, 1);
    const chosen = job.takeAlongDim(means, index, 1);
    return job.sum(job.square(job.segmentSum(chosen, job.select(index, 1, 0), 4)));
  },
  reductions: (_, x) => {
    const spread = job.variance(x, [1], { keepdim: true });
    const length = job.vectorNorm(x, [0], { keepdim: true });
    const ends = job.add(job.amax(x, [1], { keepdim: true }), job.prod(x, [0], { keepdim: true }));
    return job.mean(job.mul(ends, job.add(length, spread)));
  },
  "einsum, cosine transforms and quantised weights": (_, x) => {
    const weights = job.fakeQuantize(x, job.quantizationScale(x, 4, [1]), { bits: 4 });
    const bits = job.unpackBits(job.packBits(job.quantizeSign(x), 1), 1, 6);
    const signs = job.dequantizeSign(bits, job.quantizationScale(x, 1, [1]));
    const coefficients = job.reshape(job.chunkedDct(weights, 3), [3, 6]);
    return job.sum(job.square(job.einsum("ij,kj->ik", coefficients, signs)));
  },
  "sampling, and rows in an order": (context, x) => {
    const { rows } = job.epochRows(context, { rows: context.data.x }, 2);
    const order = job.gather(x, job.randperm(context.random, 3));
    const drawn = job.categorical(x, context.random, { temperature: 0.7 });
    return job.add(
      job.crossEntropy(job.topKFilter(order, 4), drawn),
      job.mean(job.outer(job.sum(rows, [1]), job.sum(x, [1]))),
    );
  },
};

/** The first element of a kernel whose flip reaches the state. */
async function disputed(closed: ClosedJob, kernel: number) {
  const { dtype, shape } = closed.step.kernels[kernel].type;
  const elements = elementCount(shape);
  for (let i = 0; i < Math.min(elements, 6); i++) {
    const element = (7 * kernel + i) % elements;
    // An index that is one higher is mostly still an index.
    const fault = { step: 1, at: { kernel }, element, flip: dtype === "f32" ? 1 << 29 : 1 };
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
  for (const [title, body] of CHOSEN)
    test(title, async () => {
      const closed = await jobOf(body);
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
      // What changes no bit of the state can't be disputed, such as an index that no one reads.
      expect(missed.length, missed.join(", ")).toBeLessThan(closed.step.kernels.length / 3);
    });
});
