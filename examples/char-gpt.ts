/** A small byte-level GPT on a text: `./verde run examples/char-gpt.ts --steps 200 --out a.trace` */
import { fileURLToPath } from "node:url";
import { adamW, byteTokens, crossEntropy, defineJob, gpt, sampleWindows, warmupCosine } from "@verde-ml/verde/job";

export default defineJob({
  name: "char-gpt",
  steps: 200,
  seed: 1,
  options: {
    text: fileURLToPath(new URL("data/verde.txt", import.meta.url)),
    layers: 2,
    heads: 4,
    dim: 64,
    context: 64,
    batch: 16,
    dropout: 0,
    rate: 3e-3,
  },
  unit: ({ batch, context }) => ({ name: "tokens", perStep: batch * context }),
  data: async ({ text }) => ({ text: await byteTokens(text) }),
  loss(job, { layers, heads, dim, context, batch, dropout }) {
    const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
    const logits = gpt(job, inputs, { vocabulary: 256, layers, heads, dim, context, dropout });
    return crossEntropy(logits, targets);
  },
  optimizer: ({ rate, steps }) =>
    adamW({
      learningRate: warmupCosine({ peak: rate, warmup: Math.min(20, steps - 1), steps, final: rate / 10 }),
      clipNorm: 1,
      // As nanoGPT sets them for small models: matrices decay, biases and norms do not.
      beta2: 0.99,
      groups: [{ match: (_, shape) => shape.length < 2, weightDecay: 0 }],
    }),
});
