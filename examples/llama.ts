/**
 * A small byte-level Llama on a text, of which the last tenth is held back:
 * `./verde run examples/llama.ts --out llama.trace`
 */
import {
  adamW,
  crossEntropy,
  defineJob,
  evaluateRows,
  llama,
  sampleWindows,
  slice,
  type Value,
  warmupCosine,
} from "@verde-ml/verde/job";
import { heldOut, PROSE, ROUND } from "./text.ts";

export default defineJob({
  name: "llama",
  steps: 200,
  seed: 1,
  options: { text: PROSE, layers: 2, heads: 4, kvHeads: 2, dim: 64, context: 64, batch: 16, rate: 3e-3 },
  unit: ({ batch, context }) => ({ name: "tokens", perStep: batch * context }),
  data: ({ text, context }) => heldOut(text, context),
  loss(job, { layers, heads, kvHeads, dim, context, batch }) {
    const lossOf = (inputs: Value, targets: Value): Value =>
      crossEntropy(llama(job, inputs, { vocabulary: 256, layers, heads, kvHeads, dim }), targets);
    const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
    const loss = lossOf(inputs, targets);
    const held = { rows: job.data.held };
    const validation = evaluateRows(job, "validation", held, { every: ROUND }, ({ rows }) => ({
      loss: lossOf(slice(rows, 1, 0, context), slice(rows, 1, 1, context + 1)),
    }));
    job.metric("validation-loss", validation.loss);
    return loss;
  },
  optimizer: ({ rate, steps }) =>
    adamW({
      learningRate: warmupCosine({ peak: rate, warmup: Math.min(20, steps - 1), steps, final: rate / 10 }),
      beta2: 0.95,
      weightDecay: 0.1,
      clipNorm: 1,
      groups: [{ match: (_, shape) => shape.length < 2, weightDecay: 0 }],
    }),
});
