/**
 * An asynchronous pipeline with Nesterov momentum (arXiv 2505.01099): no stage waits. Stage s of P computes a
 * gradient at the weights that it had P - 1 - s updates before, and moves its newest weights along it:
 * `./verde rounds run examples/rounds/async-pipeline.ts --out out/a`
 *
 * In round r stage s reads forward what belongs to batch r - s, and carries batch r - (P - 1) back. The number
 * of a version of its weights is the round that made it. The first P - 1 rounds fill the pipeline.
 */
import { fileURLToPath } from "node:url";
import {
  adamW,
  add,
  byteTokens,
  count,
  ge,
  gradients,
  intTensor,
  mul,
  nAdam,
  type Optimizer,
  option,
  sgd,
  stopGradient,
  sub,
  sum,
  where,
  zeros,
} from "@verde-ml/verde/job";
import { before, defineRounds, now, own, type Source, train } from "@verde-ml/verde/rounds";
import { forwardTurn, stageOf, type Weights } from "../stages.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));

/** The optimizer of every stage; momentum that looks ahead makes up for the delay. */
function optimizerOf(name: string, rate: number): Optimizer {
  if (name === "sgd") return sgd({ learningRate: rate });
  return name === "adamw" ? adamW({ learningRate: rate, weightDecay: 0 }) : nAdam({ learningRate: rate, beta1: 0.99 });
}

export default defineRounds({
  name: "async-pipeline",
  rounds: 8,
  seed: 1,
  options: {
    stages: count(4, "how many stages, each of one block"),
    batch: count(4, "windows of text in a step"),
    context: count(32, "tokens in a window"),
    dim: count(32, "width of the model"),
    heads: count(2, "heads of attention"),
    optimizer: option("nadam", "nadam, adamw or sgd"),
    rate: option(0.003, "learning rate"),
  },
  members: ({ stages }) => Object.fromEntries(Array.from({ length: stages }, (_, stage) => [`stage${stage}`, 1])),
  async data(role) {
    if (role !== "stage0") return {};
    const { data } = await byteTokens(PROSE);
    const size = Math.floor(0.9 * data.length);
    return { text: intTensor([size], data.slice(0, size)) };
  },
  turns({ stages, batch, context, dim, heads, optimizer, rate }) {
    const sizes = { stages, context, dim, heads, subspace: 0, boundary: "whole" };
    const passed = { dtype: "f32", shape: [batch * context, dim] } as const;
    const forward = (stage: number) => forwardTurn(sizes, stage, { batch, width: dim, input: before });
    const backward = (stage: number) => {
      const delay = stages - 1 - stage;
      const given = stage > 0 ? before(`forward${stage - 1}`, delay + 1) : before("forward0", delay);
      const reads: Record<string, Source<"one">> = { given };
      if (delay > 0) Object.assign(reads, { stash: own(delay + 1), later: now(`backward${stage + 1}`) });
      return train({
        by: `stage${stage}`,
        steps: 1,
        weights: own(),
        reads,
        loss(job, { given: batchOf, stash, later }) {
          const input = stage > 0 ? batchOf.entry("passed") : undefined;
          const used: Weights = (name, shape, init) => {
            const newest = job.parameter(name, shape, init);
            // The old value with the gradient of the newest, from which the step is taken.
            const none = () => sub(newest, stopGradient(newest));
            return stash ? add(stash.entry(name, { dtype: "f32", shape }), none()) : newest;
          };
          const made = stageOf(sizes, stage, used, {}, batchOf.entry("windows"), input);
          const filled = where(ge(job.data.round, stages), 1, 0);
          const loss = later ? sum(mul(made, later.entry("slope"))) : mul(made, filled);
          if (input) job.update(job.state("slope", passed, zeros), gradients(loss, [input])[0]);
          return loss;
        },
        optimizer: optimizerOf(optimizer, rate),
      });
    };
    const order = Array.from({ length: stages }, (_, stage) => stage);
    return {
      ...Object.fromEntries(order.slice(0, -1).map((stage) => [`forward${stage}`, forward(stage)])),
      ...Object.fromEntries(order.reverse().map((stage) => [`backward${stage}`, backward(stage)])),
    };
  },
});
