/**
 * A small GPT whose batch is cut into four shards, which several machines can compute. The run root does not
 * depend on how many: `./verde run examples/data-parallel.ts --workers 2 --out a.trace`
 */
import { fileURLToPath } from "node:url";
import {
  adamW,
  byteTokens,
  crossEntropy,
  defineJob,
  gpt,
  option,
  sampleWindows,
  warmupCosine,
} from "@verde-ml/verde/job";

export default defineJob({
  name: "data-parallel",
  steps: 100,
  seed: 1,
  options: {
    shards: option(4, "parts of the batch: its workers compute them"),
    batch: option(32, "windows of text in a training step, a multiple of the shards"),
    context: 64,
    layers: 2,
    dim: 64,
    rate: 3e-3,
  },
  unit: ({ batch, context }) => ({ name: "tokens", perStep: batch * context }),
  data: async () => ({ text: await byteTokens(fileURLToPath(new URL("data/verde.txt", import.meta.url))) }),
  shards: ({ shards }) => shards,
  loss(job, { layers, dim, context, batch }) {
    // Each shard gets its part of these windows.
    const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
    return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers, heads: 4, dim, context }), targets);
  },
  optimizer: ({ rate, steps }) =>
    adamW({
      learningRate: warmupCosine({ peak: rate, warmup: Math.min(10, steps - 1), steps, final: rate / 10 }),
      clipNorm: 1,
      groups: [{ match: (_, shape) => shape.length < 2, weightDecay: 0 }],
    }),
});
