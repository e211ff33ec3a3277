/**
 * GPTs of many sizes for estimates. Their graphs are real and checked, but their tensors are never allocated.
 */
import type { ClosedJob } from "../../job/closed.ts";
import { adamW, crossEntropy, defineJob, gpt, sampleWindows, warmupCosine } from "../../job/index.ts";

/** The sizes of a transformer. */
export interface ModelShape {
  name: string;
  layers: number;
  dim: number;
  heads: number;
  vocabulary: number;
  /**
   * Tokens in a sequence. With `batch`, the sequences in a training step, it is bounded: tensors have fewer
   * than 2^31 elements.
   */
  context: number;
  batch: number;
}

/** From a model that a laptop trains in a minute to a trillion parameters. */
export const MODELS: readonly ModelShape[] = [
  { name: "1M", layers: 4, dim: 128, heads: 4, vocabulary: 256, context: 128, batch: 8 },
  { name: "10M", layers: 6, dim: 384, heads: 6, vocabulary: 256, context: 256, batch: 16 },
  { name: "160M", layers: 12, dim: 768, heads: 12, vocabulary: 50257, context: 1024, batch: 16 },
  { name: "1.4B", layers: 24, dim: 2048, heads: 16, vocabulary: 50257, context: 2048, batch: 16 },
  { name: "7B", layers: 32, dim: 4096, heads: 32, vocabulary: 50257, context: 2048, batch: 8 },
  { name: "70B", layers: 85, dim: 8192, heads: 64, vocabulary: 50257, context: 2048, batch: 4 },
  { name: "180B", layers: 96, dim: 12288, heads: 96, vocabulary: 50257, context: 2048, batch: 4 },
  { name: "1T", layers: 200, dim: 20480, heads: 160, vocabulary: 50257, context: 2048, batch: 2 },
];

/** A job that trains such a model with AdamW. The tokens of its corpus do not matter. */
export function modelJob(shape: ModelShape, steps: number): Promise<ClosedJob> {
  const { layers, dim, heads, vocabulary, context, batch } = shape;
  const tokens = { dtype: "i32" as const, shape: [context + 1], data: new Int32Array(context + 1) };
  return defineJob({
    name: `gpt-${shape.name}`,
    steps,
    data: () => ({ text: tokens }),
    unit: () => ({ name: "tokens", perStep: batch * context }),
    loss(job) {
      const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
      return crossEntropy(gpt(job, inputs, { vocabulary, layers, heads, dim, context }), targets);
    },
    optimizer: () =>
      adamW({
        learningRate: warmupCosine({ peak: 3e-4, warmup: Math.min(1000, steps - 1), steps, final: 3e-5 }),
        clipNorm: 1,
      }),
  }).close();
}
