/**
 * DeMo (arXiv 2411.19870): workers send the largest coefficients of a cosine transform of their momentum, and
 * all step along the sign of the mean: `./verde rounds run examples/rounds/demo.ts --out out/a`
 */
import { fileURLToPath } from "node:url";
import {
  abs,
  add,
  byteTokens,
  chunkedDct,
  chunkedIdct,
  concat,
  count,
  crossEntropy,
  gpt,
  intTensor,
  mul,
  type Optimizer,
  option,
  sampleWindows,
  scatterMean,
  sign,
  sub,
  takeAlongDim,
  topk,
  zeros,
} from "@verde-ml/verde/job";
import { combine, defineRounds, each, now, train, turn } from "@verde-ml/verde/rounds";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));
/** The prefix of what a worker sends, among the entries of its state. */
const MESSAGE = "message/";

/** Keeps what was not sent as momentum, and leaves the weights to those who have all messages. */
function momentumApart({ decay, rate, chunk, keep }: Record<"decay" | "rate" | "chunk" | "keep", number>): Optimizer {
  return (job, parameters, gradients) => {
    for (const [i, { name, value }] of parameters.entries()) {
      const momentum = job.state(`optimizer/momentum/${name}`, value, zeros);
      const gathered = add(mul(momentum, decay), mul(gradients[i], rate));
      const coefficients = chunkedDct(gathered, chunk);
      const [Y, X, size] = coefficients.shape;
      const { indices } = topk(abs(coefficients), Math.min(keep, size));
      const values = takeAlongDim(coefficients, indices, -1);
      const sent = chunkedIdct(scatterMean(values, indices, size, -1), value.shape, chunk);
      job.update(momentum, sub(gathered, sent));
      const shape = [Y, X, Math.min(keep, size)];
      const none = (source: Parameters<typeof zeros>[0]) => topk(zeros(source, [Y, X, size]), shape[2]).indices;
      job.update(job.state(`${MESSAGE}values/${name}`, { dtype: "f32", shape }, zeros), values);
      job.update(job.state(`${MESSAGE}indices/${name}`, { dtype: "i32", shape }, none), indices);
      job.update(value, value);
    }
  };
}

export default defineRounds({
  name: "demo",
  rounds: 4,
  seed: 1,
  options: {
    replicas: count(3, "how many workers train, each on its own part of the text"),
    batch: count(4, "windows of text in a step"),
    context: count(32, "tokens in a window"),
    dim: count(32, "width of the model"),
    rate: option(3e-3, "learning rate"),
    decay: option(0.999, "how much of the momentum stays in a step"),
    chunk: count(16, "the greatest side of a chunk that is transformed"),
    keep: count(4, "coefficients of a chunk that are sent"),
  },
  members: ({ replicas }) => ({ worker: replicas }),
  async data(_, member, { replicas }) {
    const { data } = await byteTokens(PROSE);
    const size = Math.floor((0.9 * data.length) / replicas);
    return { text: intTensor([size], data.slice(member * size, (member + 1) * size)) };
  },
  turns({ batch, context, dim, rate, decay, chunk, keep }) {
    const local = train({
      by: "worker",
      steps: 1,
      weights: "apply",
      loss(job) {
        const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
        return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers: 1, heads: 2, dim, context }), targets);
      },
      optimizer: momentumApart({ decay, rate, chunk, keep }),
    });
    const send = turn({
      by: "worker",
      reads: { local: now("local") },
      entries: (reads) =>
        Object.fromEntries(
          reads.local.types.filter(({ name }) => name.startsWith(MESSAGE)).map((type) => [type.name, type]),
        ),
      begin: ({ reads }) => {
        const names = reads.local.types.map(({ name }) => name).filter((name) => name.startsWith(MESSAGE));
        return Object.fromEntries(names.map((name) => [name, reads.local.entry(name)]));
      },
    });
    const apply = combine({
      by: "worker",
      weightsOf: local,
      keeps: [],
      reads: { sent: each("send") },
      next(own, _, { name, ports }) {
        const all = (what: string) => concat(ports.sent.map((port) => port.entry(`${MESSAGE}${what}/${name}`)), -1); // prettier-ignore
        const { shape } = own.weight;
        const side = chunkedDct(own.weight, chunk).shape[2];
        const mean = chunkedIdct(scatterMean(all("values"), all("indices"), side, -1), shape, chunk);
        return sub(own.weight, mul(sign(mean), rate));
      },
    });
    return { local, send, apply };
  },
});
