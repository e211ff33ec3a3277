/** A little classifier with an optimizer: small enough to train and dispute many times in a test. */
import {
  adamW,
  type ClosedJob,
  crossEntropy,
  defineJob,
  gelu,
  intTensor,
  linear,
  sampleRows,
  tensor,
} from "../../src/job/index.ts";

const definition = defineJob({
  name: "small",
  steps: 6,
  options: { rate: 0.05, hidden: 10 },
  data: () => ({
    x: tensor(
      [24, 3],
      Array.from({ length: 72 }, (_, i) => ((i * 37) % 19) / 8 - 1),
    ),
    y: intTensor(
      [24],
      Array.from({ length: 24 }, (_, i) => (i * 7) % 3),
    ),
  }),
  loss(job, { hidden }) {
    const { x, y } = sampleRows(job, { x: job.data.x, y: job.data.y }, 8);
    return crossEntropy(linear(job, "classes", gelu(linear(job, "layer", x, hidden)), 3), y);
  },
  optimizer: ({ rate }) => adamW({ learningRate: rate }),
});

export function smallJob(options: Record<string, number> = {}): Promise<ClosedJob> {
  return definition.close(options);
}
