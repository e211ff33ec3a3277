/**
 * DiLoCo (arXiv 2311.08105): workers train apart for some steps of AdamW, and a server moves the weights by
 * their mean change with Nesterov momentum: `./verde rounds run examples/rounds/diloco.ts --out out/a`
 */
import { fileURLToPath } from "node:url";
import {
  adamW,
  add,
  byteTokens,
  count,
  crossEntropy,
  gpt,
  intTensor,
  mul,
  option,
  sampleWindows,
  sub,
  type Value,
} from "@verde-ml/verde/job";
import { combine, defineRounds, each, train } from "@verde-ml/verde/rounds";

/** A step of the server: SGD with Nesterov momentum along the mean change, as PyTorch computes it. */
export function outerStep(weight: Value, momentum: Value, slope: Value, rate: number, share: number) {
  const next = add(mul(momentum, share), slope);
  return { weight: sub(weight, mul(add(slope, mul(next, share)), rate)), momentum: next };
}

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));

export default defineRounds({
  name: "diloco",
  rounds: 3,
  seed: 1,
  options: {
    workers: count(4, "how many workers train apart, each on its own part of the text"),
    inner: count(5, "steps of AdamW in a round"),
    batch: count(4, "windows of text in a step"),
    context: count(32, "tokens in a window"),
    dim: count(32, "width of the model"),
    rate: option(0.01, "learning rate of AdamW"),
    outer: option(0.7, "learning rate of the server"),
    momentum: option(0.9, "momentum of the server"),
  },
  members: ({ workers }) => ({ worker: workers, server: 1 }),
  async data(role, member, { workers }) {
    if (role !== "worker") return {};
    const { data } = await byteTokens(PROSE);
    // The last tenth is for those who evaluate.
    const size = Math.floor((0.9 * data.length) / workers);
    return { text: intTensor([size], data.slice(member * size, (member + 1) * size)) };
  },
  turns({ workers, inner, batch, context, dim, rate, outer: outerRate, momentum: share }) {
    const local = train({
      by: "worker",
      steps: inner,
      // The moments and the number of the step continue from the worker's own last round.
      weights: "outer",
      loss(job) {
        const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
        return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers: 1, heads: 2, dim, context }), targets);
      },
      optimizer: adamW({ learningRate: rate, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 }),
    });
    const outer = combine({
      by: "server",
      weightsOf: local,
      keeps: ["momentum"],
      reads: { changed: each("local") },
      next(own, { changed }) {
        const changes = changed.map((weight) => sub(own.weight, weight));
        const slope = mul(changes.reduce((sum, change) => add(sum, change)), 1 / workers); // prettier-ignore
        return outerStep(own.weight, own.momentum, slope, outerRate, share);
      },
    });
    return { local, outer };
  },
});
