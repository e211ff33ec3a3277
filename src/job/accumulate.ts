/** Gradient accumulation: a training step over several micro-batches. */
import { describe } from "../errors/arguments.ts";
import { differentiate } from "../graph/autodiff.ts";
import { map } from "../graph/emit.ts";
import { add } from "../graph/ops/add.ts";
import { broadcastTo } from "../graph/ops/sum.ts";
import { Value } from "../graph/value.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import type { Context } from "./context.ts";
import { expectContext } from "./layers/arguments.ts";
import { countOf, settingError } from "./settings.ts";

/**
 * The mean of the losses of `count` micro-batches, an f32 scalar, whose gradient is the mean of their
 * gradients. Each micro-batch is differentiated before the next one begins, so the memory of a step is that
 * of one micro-batch and of one more copy of the gradients.
 *
 *     loss: (job) => accumulate(job, 4, () => {
 *       const { inputs, targets } = sampleWindows(job, job.data.text, { batch: 8, length: 64 });
 *       return crossEntropy(gpt(job, inputs, sizes), targets);
 *     }),
 *
 * The bits are not those of one large batch: there a sum runs over all rows in order, and here over the rows
 * of each micro-batch, and then over these sums. The operators are in the graph `count` times.
 * @param count how many micro-batches; a whole number from 1
 * @param body makes the loss of a micro-batch, an f32 scalar, from its number. It runs once for each. The
 *   batches that it draws differ; the parameters that it makes are the same
 * @throws {JobError} when the count is no whole number from 1, or the body returns another value
 */
export function accumulate(context: Context, count: number, body: (microBatch: number) => Value): Value {
  expectContext("accumulate", context);
  countOf("accumulate", "the number of micro-batches", count);
  if (typeof body !== "function")
    throw settingError("accumulate", `the body is ${describe(body)}; pass a function that makes a loss`);
  let losses: Value | undefined;
  let sums: (Value | undefined)[] = [];
  let parameters: Value[] = [];
  for (let microBatch = 0; microBatch < count; microBatch++) {
    const make = (): Value => lossOf(body(microBatch));
    const loss = microBatch === 0 ? make() : context.reuse(make);
    if (microBatch === 0) parameters = context.parameters.map(({ value }) => value);
    const flows = differentiate(loss, parameters);
    losses = losses ? add(losses, loss) : loss;
    sums = flows.map(({ gradient }, i) => {
      const before = sums[i];
      return before && gradient ? add(before, gradient) : (gradient ?? before);
    });
  }
  const average = defineProgram("f", (total) => total.mul(1 / count));
  const scaled = defineProgram("ff", (total, gradient) => total.mul(gradient.mul(1 / count)));
  const reached = parameters.flatMap((parameter, i) => (sums[i] ? [{ parameter, total: sums[i] }] : []));
  return map(average, [losses!], { name: "accumulate", shape: [] }).withOrigin(
    reached.map(({ parameter }) => parameter),
    (gradient) =>
      reached.map(({ total }) =>
        map(scaled, [total, broadcastTo(gradient, total.shape)], { name: "accumulate-gradient", shape: total.shape }),
      ),
  );
}

/** @throws {JobError} when it is no f32 scalar */
function lossOf(loss: unknown): Value {
  if (loss instanceof Value && loss.dtype === "f32" && loss.rank === 0) return loss;
  throw settingError(
    "accumulate",
    `the body returns ${loss instanceof Value ? loss : describe(loss)}; return an f32 scalar, such as a mean`,
  );
}
