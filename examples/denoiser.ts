/**
 * A diffusion model of handwritten digits: a U-Net learns to find the noise that was added to an image.
 * `./verde run examples/denoiser.ts --out denoiser.trace`
 */
import {
  adamW,
  add,
  cos,
  defineJob,
  ema,
  evaluateRows,
  mseLoss,
  mul,
  randomInt,
  randomNormal,
  reshape,
  sampleRows,
  sin,
  toFloat,
  unet,
  type Value,
  warmupCosine,
} from "@verde-ml/verde/job";
import { digits } from "./digits.ts";

/** Steps of noise, from none to nothing but noise. */
const TIMES = 200;

/**
 * An image in noise, by a quarter of a wave: cos of the angle is the share of the image, and sin that of the
 * noise.
 */
function noisy(images: Value, noise: Value, times: Value): Value {
  const angle = reshape(mul(toFloat(times), Math.PI / 2 / TIMES), [-1, 1, 1, 1]);
  return add(mul(images, cos(angle)), mul(noise, sin(angle)));
}

export default defineJob({
  name: "denoiser",
  steps: 300,
  seed: 1,
  options: { width: 16, levels: 2, batch: 64, rate: 2e-3 },
  unit: ({ batch }) => ({ name: "images", perStep: batch }),
  data: () => digits(),
  loss(job, { width, levels, batch }) {
    /** The mean square by which the noise that the model finds differs from the one that was added. */
    const lossOf = (images: Value, label: string): Value => {
      const noise = randomNormal(job.random, images.shape, 1, `${label}-noise`);
      const times = randomInt(job.random, [images.shape[0]], TIMES, `${label}-times`);
      return mseLoss(unet(job, noisy(images, noise, times), times, { width, levels }), noise);
    };
    const { images } = sampleRows(job, { images: job.data.images }, batch);
    const loss = lossOf(images, "training");
    const held = { images: job.data.testImages };
    const validation = evaluateRows(job, "validation", held, { every: 20, averaged: true }, (rows) => ({
      loss: lossOf(rows.images, "validation"),
    }));
    job.metric("validation-loss", validation.loss);
    return loss;
  },
  optimizer: ({ rate, steps }) =>
    ema(adamW({ learningRate: warmupCosine({ peak: rate, warmup: Math.min(20, steps - 1), steps }), clipNorm: 1 }), {
      decay: 0.98,
    }),
});
