/**
 * A small network that tells three spirals apart: `./verde run examples/mlp-spirals.ts --out spirals.trace`
 */
import { adamW, crossEntropy, defineJob, gelu, intTensor, linear, sampleRows, tensor } from "@verde-ml/verde/job";

/** Points on three arms with a regular jitter, so that the dataset is the same on every machine. */
function spirals(points: number) {
  const [x, y]: [number[], number[]] = [[], []];
  for (let i = 0; i < points; i++) {
    const arm = i % 3;
    const t = Math.floor(i / 3) / Math.ceil(points / 3);
    const jitter = ((i * 2654435761) % 1024) / 1024 - 0.5;
    // Rotating step by step needs only additions and products, whose bits are the same in every engine.
    const [cos, sin] = rotation(4 * t + (2 * Math.PI * arm) / 3 + 0.2 * jitter);
    x.push(t * cos, t * sin);
    y.push(arm);
  }
  return { x: tensor([points, 2], x), y: intTensor([points], y) };
}

/** cos and sin by their series, without the library of the platform. */
function rotation(angle: number): [number, number] {
  let [cos, sin, term] = [0, 0, 1];
  for (let n = 0; n < 40; n++) {
    if (n % 2 === 0) cos += n % 4 === 0 ? term : -term;
    else sin += n % 4 === 1 ? term : -term;
    term *= angle / (n + 1);
  }
  return [cos, sin];
}

export default defineJob({
  name: "mlp-spirals",
  steps: 300,
  seed: 1,
  options: { points: 600, hidden: 32, batch: 64, rate: 0.01 },
  unit: ({ batch }) => ({ name: "samples", perStep: batch }),
  data: ({ points }) => spirals(points),
  loss(job, { hidden, batch }) {
    const { x, y } = sampleRows(job, { x: job.data.x, y: job.data.y }, batch);
    const first = gelu(linear(job, "layer1", x, hidden));
    const second = gelu(linear(job, "layer2", first, hidden));
    return crossEntropy(linear(job, "classes", second, 3), y);
  },
  optimizer: ({ rate }) => adamW({ learningRate: rate }),
});
