/**
 * A model in stages, each with a participant of its own, after Protocol Models (arXiv 2506.01260): what passes
 * from stage to stage stays in a subspace, so its coordinates are enough:
 * `./verde rounds run examples/rounds/protocol-models.ts --out out/a`
 *
 * `--boundary whole` sends all elements of the same model; `--subspace 0` has the model without a subspace.
 */
import { fileURLToPath } from "node:url";
import { adamW, byteTokens, count, gradients, intTensor, mul, option, sum, tensor, zeros } from "@verde-ml/verde/job";
import { defineRounds, now, own, type Source, train } from "@verde-ml/verde/rounds";
import { forwardTurn, stageOf, VOCABULARY, type Weights } from "../stages.ts";
import { randomBasis, randomRows } from "../subspace.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));

export default defineRounds({
  name: "protocol-models",
  rounds: 4,
  seed: 1,
  options: {
    stages: count(3, "how many stages, each of one block"),
    batch: count(4, "windows of text in a step"),
    context: count(32, "tokens in a window"),
    dim: count(32, "width of the model"),
    heads: count(2, "heads of attention"),
    subspace: count(8, "dimensions of the subspace; 0: the model has none", { from: 0 }),
    boundary: option("subspace", "subspace: coordinates are sent; whole: all elements of the same values"),
    rate: option(0.01, "learning rate of AdamW"),
  },
  members: ({ stages }) => Object.fromEntries(Array.from({ length: stages }, (_, stage) => [`stage${stage}`, 1])),
  async data(role, _, { dim, subspace }) {
    const { data } = await byteTokens(PROSE);
    const size = Math.floor(0.9 * data.length);
    return {
      ...(role === "stage0" && { text: intTensor([size], data.slice(0, size)) }),
      ...(subspace > 0 && {
        basis: tensor([dim, subspace], randomBasis(dim, subspace)),
        rows: tensor([VOCABULARY, dim], randomRows(VOCABULARY, dim)),
      }),
    };
  },
  turns({ batch, rate, ...sizes }) {
    const { stages, context, dim, subspace, boundary } = sizes;
    const width = subspace > 0 && boundary === "subspace" ? subspace : dim;
    const passed = { dtype: "f32", shape: [batch * context, width] } as const;
    const forward = (stage: number) => forwardTurn(sizes, stage, { batch, width, input: now });
    const backward = (stage: number) => {
      const reads: Record<string, Source<"one">> = { given: now(`forward${Math.max(stage - 1, 0)}`) };
      if (stage < stages - 1) reads.later = now(`backward${stage + 1}`);
      return train({
        by: `stage${stage}`,
        steps: 1,
        weights: own(),
        reads,
        loss(job, { given, later }) {
          const input = stage > 0 ? given.entry("passed") : undefined;
          const of: Weights = (name, shape, init) => job.parameter(name, shape, init);
          const made = stageOf(sizes, stage, of, job.data, given.entry("windows"), input);
          // A product whose gradient is that of the loss, as the later stage has sent it.
          const loss = later ? sum(mul(made, later.entry("slope"))) : made;
          if (input) job.update(job.state("slope", passed, zeros), gradients(loss, [input])[0]);
          return loss;
        },
        optimizer: adamW({ learningRate: rate }),
      });
    };
    const order = Array.from({ length: stages }, (_, stage) => stage);
    return {
      ...Object.fromEntries(order.slice(0, -1).map((stage) => [`forward${stage}`, forward(stage)])),
      ...Object.fromEntries(order.reverse().map((stage) => [`backward${stage}`, backward(stage)])),
    };
  },
});
