/**
 * A small vision transformer that reads handwritten digits, with 360 of them held back:
 * `./verde run examples/vit-digits.ts --out vit.trace`
 */
import {
  adamW,
  argmax,
  crossEntropy,
  defineJob,
  eq,
  evaluateRows,
  sampleRows,
  toFloat,
  type Value,
  vit,
  warmupCosine,
} from "@verde-ml/verde/job";
import { digits } from "./digits.ts";

export default defineJob({
  name: "vit-digits",
  steps: 400,
  seed: 1,
  options: { patch: 2, layers: 2, heads: 4, dim: 48, batch: 64, dropout: 0, rate: 3e-3 },
  unit: ({ batch }) => ({ name: "images", perStep: batch }),
  data: () => digits(),
  loss(job, { patch, layers, heads, dim, batch, dropout }) {
    const logits = (images: Value): Value => vit(job, images, { classes: 10, patch, layers, heads, dim, dropout });
    const { images, labels } = sampleRows(job, { images: job.data.images, labels: job.data.labels }, batch);
    const loss = crossEntropy(logits(images), labels);
    const held = { images: job.data.testImages, labels: job.data.testLabels };
    const { accuracy } = evaluateRows(job, "validation", held, { every: 20 }, (rows) => ({
      accuracy: toFloat(eq(argmax(logits(rows.images), -1), rows.labels)),
    }));
    job.metric("validation-accuracy", accuracy);
    return loss;
  },
  optimizer: ({ rate, steps }) =>
    adamW({
      learningRate: warmupCosine({ peak: rate, warmup: Math.min(40, steps - 1), steps, final: rate / 20 }),
      weightDecay: 0.05,
      groups: [{ match: (_, shape) => shape.length < 2, weightDecay: 0 }],
    }),
});
