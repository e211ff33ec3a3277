/**
 * The GPT that is compared with the one of bench/peers/peer.py: one batch that stays the same, so that both
 * can be trained on the same tokens, and a table of tokens that is the last layer's weight too, as in GPT-2.
 */
import type { ClosedJob } from "../../src/job/closed.ts";
import {
  adamW,
  add,
  causalSelfAttention,
  crossEntropy,
  defineJob,
  gather,
  intTensor,
  matmul,
  norm,
  normal,
  reshape,
  transpose,
} from "../../src/job/index.ts";
import { mlp } from "../../src/job/layers/mlp.ts";
import { type GptTask, token } from "./tasks.ts";

const DEVIATION = 0.02;

const job = defineJob({
  name: "bench-gpt",
  steps: 1_000_000,
  seed: 1,
  options: { layers: 4, heads: 8, dim: 256, context: 128, batch: 8, vocabulary: 256 },
  unit: ({ batch, context }) => ({ name: "tokens", perStep: batch * context }),
  data: ({ batch, context, vocabulary }) => {
    const tokens = (first: number) =>
      intTensor(
        [batch, context],
        Array.from({ length: batch * context }, (_, i) => {
          const [row, column] = [Math.floor(i / context), i % context];
          return token(row * (context + 1) + column + first, vocabulary);
        }),
      );
    return { inputs: tokens(0), targets: tokens(1) };
  },
  loss(context, { layers, heads, dim, context: length, vocabulary }) {
    const { inputs, targets } = context.data;
    const residual = normal(DEVIATION / Math.sqrt(2 * layers));
    const table = context.parameter("tokens.weight", [vocabulary, dim], normal(DEVIATION));
    const positions = context.parameter("positions.weight", [length, dim], normal(DEVIATION));
    let x = add(gather(table, inputs), positions);
    for (let block = 0; block < layers; block++)
      x = context.scope(`blocks.${block}`, () => {
        const attended = causalSelfAttention(context, "attention", norm(context, "norm1", x), heads, residual);
        const middle = add(x, attended);
        return add(middle, mlp(context, "mlp", norm(context, "norm2", middle), residual));
      });
    const rows = reshape(norm(context, "norm", x), [-1, dim]);
    return crossEntropy(matmul(rows, transpose(table), "head"), reshape(targets, [-1]));
  },
  optimizer: () =>
    adamW({
      learningRate: 3e-4,
      clipNorm: 1,
      beta2: 0.99,
      groups: [{ match: (_, shape) => shape.length < 2, weightDecay: 0 }],
    }),
});

export function gptJob({ layers, heads, dim, context, batch, vocabulary }: Omit<GptTask, "kind" | "trace">) {
  return job.close({ layers, heads, dim, context, batch, vocabulary }) as Promise<ClosedJob>;
}
