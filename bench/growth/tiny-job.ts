/** A job of cheap steps, so that a run of very many can be measured: sixteen weights are fitted to a line. */
import { defineJob, linear, mean, sgd, square, sub, tensor } from "../../src/job/index.ts";

const ROWS = 4;
const COLUMNS = 16;

export default defineJob({
  name: "bench-tiny",
  steps: 1_000,
  data: () => ({
    x: tensor(
      [ROWS, COLUMNS],
      Array.from({ length: ROWS * COLUMNS }, (_, i) => ((i * 37) % 101) / 101 - 0.5),
    ),
    y: tensor([ROWS, 1], [1, -1, 0.5, 0.25]),
  }),
  loss: (job) => mean(square(sub(linear(job, "line", job.data.x, 1), job.data.y))),
  optimizer: () => sgd({ learningRate: 0.01 }),
});
