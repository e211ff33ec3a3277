/**
 * A convnet that reads handwritten digits, with 360 of them held back:
 * `./verde run examples/digits-convnet.ts --out digits.trace`
 */
import {
  adamW,
  type Context,
  conv2dLayer,
  crossEntropy,
  defineJob,
  eq,
  evaluateRows,
  linear,
  maxPool2d,
  argmax,
  relu,
  reshape,
  sampleRows,
  toFloat,
  type Value,
  warmupCosine,
} from "@verde-ml/verde/job";
import { digits } from "./digits.ts";

/** Images [batch, 1, 8, 8] → logits [batch, 10]. */
function convnet(job: Context, images: Value, width: number): Value {
  const first = maxPool2d(relu(conv2dLayer(job, "conv1", images, width, 3, { padding: 1 })), 2);
  const second = maxPool2d(relu(conv2dLayer(job, "conv2", first, 2 * width, 3, { padding: 1 })), 2);
  const rows = reshape(second, [images.shape[0], -1]);
  return linear(job, "classes", relu(linear(job, "hidden", rows, 4 * width)), 10);
}

export default defineJob({
  name: "digits-convnet",
  steps: 300,
  seed: 1,
  options: { width: 16, batch: 64, rate: 3e-3 },
  unit: ({ batch }) => ({ name: "images", perStep: batch }),
  data: () => digits(),
  loss(job, { width, batch }) {
    const { images, labels } = sampleRows(job, { images: job.data.images, labels: job.data.labels }, batch);
    const loss = crossEntropy(convnet(job, images, width), labels);
    const held = { images: job.data.testImages, labels: job.data.testLabels };
    const { accuracy } = evaluateRows(job, "validation", held, { every: 20 }, (rows) => ({
      accuracy: toFloat(eq(argmax(convnet(job, rows.images, width), -1), rows.labels)),
    }));
    job.metric("validation-accuracy", accuracy);
    return loss;
  },
  optimizer: ({ rate, steps }) =>
    adamW({ learningRate: warmupCosine({ peak: rate, warmup: Math.min(20, steps - 1), steps, final: rate / 10 }) }),
});
