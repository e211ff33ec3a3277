/**
 * SparseLoCo, as Templar trains: workers train apart by AdamW, and send the largest changes of each chunk in
 * 2 bits: `./verde rounds run examples/rounds/sparseloco.ts --out out/a`
 */
import { fileURLToPath } from "node:url";
import {
  adamW,
  add,
  byteTokens,
  count,
  crossEntropy,
  div,
  gpt,
  intTensor,
  median,
  minimum,
  mul,
  option,
  sampleWindows,
  stack,
  sub,
  type Value,
  vectorNorm,
} from "@verde-ml/verde/job";
import { before, combine, defineRounds, each, now, train, turn } from "@verde-ml/verde/rounds";
import { encode, messageOf, read, spread } from "./sparse-message.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));

/** Each list of values, no longer than the median of all: as many factors from 0 to 1. */
export function clipFactors(values: readonly Value[]): Value[] {
  const norms = values.map((value) => vectorNorm(value));
  const { values: middle } = median(stack(norms), 0);
  return norms.map((norm) => minimum(div(middle, add(norm, 1e-8)), 1));
}

export default defineRounds({
  name: "sparseloco",
  rounds: 3,
  seed: 1,
  options: {
    workers: count(4, "how many workers train apart, each on its own part of the text"),
    inner: count(5, "steps of AdamW in a round"),
    batch: count(4, "windows of text in a step"),
    context: count(32, "tokens in a window"),
    dim: count(32, "width of the model"),
    rate: option(0.01, "learning rate of AdamW"),
    outer: option(1, "how far the weights follow the mean change"),
    decay: option(0.95, "how much of what was not sent stays in a round"),
    chunk: count(64, "the greatest side of a chunk, at most 64", { to: 64 }),
    keep: count(64, "elements of a chunk that are sent"),
  },
  members: ({ workers }) => ({ worker: workers }),
  async data(_, member, { workers }) {
    const { data } = await byteTokens(PROSE);
    // The last tenth is for those who evaluate.
    const size = Math.floor((0.9 * data.length) / workers);
    return { text: intTensor([size], data.slice(member * size, (member + 1) * size)) };
  },
  turns({ inner, batch, context, dim, rate, outer, decay, chunk, keep }) {
    const sparsity = { chunk, keep };
    const local = train({
      by: "worker",
      steps: inner,
      weights: "apply",
      loss(job) {
        const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
        return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers: 1, heads: 2, dim, context }), targets);
      },
      optimizer: adamW({ learningRate: rate, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 }),
    });
    // The error is what was changed and not yet sent. Others read the message alone, so it has a turn of its own.
    const reads = { local: now("local"), start: before("apply"), error: before("error") };
    type Read = { entry(name: string, type?: Value): Value };
    const gathered = ({ local: end, start, error }: Record<keyof typeof reads, Read>, name: string): Value => {
      const from = start.entry(name);
      return add(mul(error.entry(name, from), decay), sub(from, end.entry(name)));
    };
    const send = turn({
      by: "worker",
      reads,
      entries: ({ start }) =>
        Object.assign({}, ...start.types.map(({ name, shape }) => { const { types, named } = messageOf(name, shape, sparsity); return named(types); })), // prettier-ignore
      begin: ({ reads: ports }) =>
        Object.assign({}, ...ports.start.types.map(({ name, shape }) => messageOf(name, shape, sparsity).named(encode(gathered(ports, name), sparsity)))), // prettier-ignore
    });
    const error = turn({
      by: "worker",
      reads: { ...reads, sent: now("send") },
      entries: ({ start }) => Object.fromEntries(start.types.map((type) => [type.name, type])),
      begin: ({ reads: ports }) =>
        Object.fromEntries(
          ports.start.types.map(({ name, shape }) => {
            const sent = spread([read(ports.sent, name, shape, sparsity)], shape, sparsity);
            return [name, sub(gathered(ports, name), sent)];
          }),
        ),
    });
    const apply = combine({
      by: "worker",
      weightsOf: local,
      keeps: [],
      reads: { sent: each("send") },
      next({ weight }, _, { name, ports }) {
        const parts = ports.sent.map((port) => read(port, name, weight.shape, sparsity));
        const factors = clipFactors(parts.map(({ values }) => values));
        const clipped = parts.map(({ values, places }, i) => ({ values: mul(values, factors[i]), places }));
        return sub(weight, mul(spread(clipped, weight.shape, sparsity), outer));
      },
    });
    return { local, send, error, apply };
  },
});
