/**
 * Fine-tunes a GPT by LoRA: `./verde run examples/lora-gpt.ts --from WEIGHTS.safetensors --partial`, with a
 * checkpoint of examples/char-gpt.ts. The GPT is frozen; products beside its linear layers are trained.
 */
import { fileURLToPath } from "node:url";
import { adamW, byteTokens, crossEntropy, defineJob, gpt, lora, sampleWindows } from "@verde-ml/verde/job";

export default defineJob({
  name: "lora-gpt",
  steps: 100,
  seed: 1,
  options: {
    text: fileURLToPath(new URL("data/verde.txt", import.meta.url)),
    layers: 2,
    heads: 4,
    dim: 64,
    context: 64,
    batch: 16,
    rank: 4,
    rate: 1e-2,
  },
  unit: ({ batch, context }) => ({ name: "tokens", perStep: batch * context }),
  data: async ({ text }) => ({ text: await byteTokens(text) }),
  loss(job, { layers, heads, dim, context, batch, rank }) {
    const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
    const sizes = { vocabulary: 256, layers, heads, dim, context };
    return crossEntropy(
      lora(job, { rank, alpha: 2 * rank }, () => gpt(job, inputs, sizes)),
      targets,
    );
  },
  optimizer: ({ rate }) => adamW({ learningRate: rate, weightDecay: 0, clipNorm: 1 }),
});
