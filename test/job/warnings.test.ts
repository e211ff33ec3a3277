/** Broadcasting that makes an operand of the loss larger than both of its own operands is reported. */
import { expect, test } from "vitest";
import { toHex } from "../../src/encoding/bytes.ts";
import { jobId } from "../../src/job/closed.ts";
import {
  add,
  broadcastTo,
  defineJob,
  linear,
  mean,
  sgd,
  square,
  sub,
  tensor,
  type Value,
} from "../../src/job/index.ts";

const jobOf = (shape: number[], difference: (predicted: Value, wanted: Value) => Value) =>
  defineJob({
    name: "shapes",
    steps: 1,
    data: () => ({ x: tensor([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), y: tensor(shape, [1, 2, 3, 4]) }),
    loss: (job) => {
      const predicted = linear(job, "line", job.data.x, 1);
      job.metric("spread", mean(sub(broadcastTo(predicted, [4, 4]), add(job.data.y, predicted))));
      return job.scope("loss", () => mean(square(difference(predicted, job.data.y))));
    },
    optimizer: () => sgd({ learningRate: 0.1 }),
  });

test("[4, 1] with [4] in a loss is a warning that names the operator and the shapes", async () => {
  const job = await jobOf([4], sub).close();
  expect(job.warnings).toEqual([
    {
      code: "BROADCAST",
      place: "loss/sub",
      message: expect.stringContaining(
        "loss/sub: f32[4, 1] and f32[4] broadcast to f32[4, 4], which is larger than both",
      ),
    },
  ]);
});

test("equal shapes, a bias and an explicit broadcast are none, and the graph is the same", async () => {
  expect((await jobOf([4, 1], sub).close()).warnings).toBeUndefined();
  const explicit = await jobOf([4], (a, b) => sub(broadcastTo(a, [4, 4]), b)).close();
  expect(explicit.warnings).toBeUndefined();
  expect(toHex(jobId(explicit))).toBe(toHex(jobId(await jobOf([4], sub).close())));
});
