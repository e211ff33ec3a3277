/**
 * How well a GPT knows the end of a text: `./verde run examples/perplexity.ts --from WEIGHTS.safetensors
 * --partial`, with a checkpoint of examples/char-gpt.ts, which holds no part of its text back. It trains
 * nothing: each step evaluates some rows, and the metrics of the last step are those of all of them.
 */
import { crossEntropy, defineJob, evaluateRows, exp, gpt, slice } from "@verde-ml/verde/job";
import { heldOut, PROSE, ROUND } from "./text.ts";

export default defineJob({
  name: "perplexity",
  steps: ROUND,
  seed: 1,
  options: { text: PROSE, layers: 2, heads: 4, dim: 64, context: 64 },
  async data({ text, context }) {
    const { held } = await heldOut(text, context);
    return { rows: held };
  },
  loss(job, { layers, heads, dim, context }) {
    // Rows of one token more than the context: each token but the first is a target.
    const { loss } = evaluateRows(job, "text", { rows: job.data.rows }, { every: ROUND }, ({ rows }) => {
      const logits = gpt(job, slice(rows, 1, 0, context), { vocabulary: 256, layers, heads, dim, context });
      return { loss: crossEntropy(logits, slice(rows, 1, 1, context + 1)) };
    });
    job.metric("perplexity", exp(loss));
    return loss;
  },
});
