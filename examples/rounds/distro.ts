/**
 * DisTrO as Psyche trains with it: DeMo (arXiv 2411.19870), whose messages are places and signs, one round late,
 * and whose workers look ahead by what they have not sent: `./verde rounds run examples/rounds/distro.ts --out out/a`
 *
 * In round r all step along the messages of round r - 2, while those of round r - 1 are still on their way.
 */
import { fileURLToPath } from "node:url";
// prettier-ignore
import {
  add, byteTokens, count, crossEntropy, div, globalNorm, gpt, gt, intTensor, minimum, mul, type Optimizer, option,
  sampleWindows, sign, sub, toFloat, topk, zeros,
} from "@verde-ml/verde/job";
import { before, combine, defineRounds, each, now, train, turn } from "@verde-ml/verde/rounds";
import { type Chunking, cut, decode, encode, largest, messageOf, read } from "./distro-message.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));
/** The prefixes of what a worker keeps: what it has not sent, and its last coefficients in float32. */
const [DELTA, VALUES, PLACES] = ["optimizer/delta/", "optimizer/values/", "optimizer/places/"];

/** Adds the gradient to what was not sent, and chooses the next message. The weights are for all to move. */
export function gathering(decay: number, rate: number, chunking: Chunking): Optimizer {
  return (job, parameters, gradients) => {
    const clip = minimum(div(1, add(globalNorm(gradients), 1e-6)), 1);
    for (const [i, { name, value }] of parameters.entries()) {
      const { shape, size } = cut(value.shape, chunking);
      const delta = job.state(`${DELTA}${name}`, value, zeros);
      const values = job.state(`${VALUES}${name}`, { dtype: "f32", shape }, zeros);
      const none: typeof zeros = (source) => topk(zeros(source, [...shape.slice(0, 2), size]), shape[2]).indices;
      const places = job.state(`${PLACES}${name}`, { dtype: "i32", shape }, none);
      const unsent = job.builder.scope("unsent", () => sub(delta, decode([{ values, places }], value.shape, chunking)));
      const gathered = add(mul(unsent, decay), mul(mul(gradients[i], clip), rate));
      const next = largest(gathered, chunking);
      job.update(delta, gathered);
      job.update(values, next.values);
      job.update(places, next.places);
      job.update(value, value);
    }
  };
}

/** The weights of a worker's state, found by what it keeps for each. */
const deltasOf = (types: readonly { name: string; shape: readonly number[] }[]) =>
  types.filter(({ name }) => name.startsWith(DELTA)).map(({ name, shape }) => ({ name: name.slice(DELTA.length), shape })); // prettier-ignore

export default defineRounds({
  name: "distro",
  rounds: 4,
  seed: 1,
  options: {
    workers: count(3, "how many workers train, each on its own part of the text"),
    batch: count(4, "windows of text in a step"),
    context: count(32, "tokens in a window"),
    dim: count(32, "width of the model"),
    rate: option(3e-3, "learning rate"),
    decay: option(0.999, "how much of what was not sent stays in a step"),
    chunk: count(16, "the greatest side of a chunk that is transformed, at most 16", { to: 16 }),
    keep: count(4, "coefficients of a chunk that are sent"),
  },
  members: ({ workers }) => ({ worker: workers }),
  async data(_, member, { workers }) {
    const { data } = await byteTokens(PROSE);
    const size = Math.floor((0.9 * data.length) / workers);
    return { text: intTensor([size], data.slice(member * size, (member + 1) * size)) };
  },
  turns({ batch, context, dim, rate, decay, chunk, keep }) {
    const chunking = { chunk, keep };
    const local = train({
      by: "worker",
      steps: 1,
      weights: now("ahead"),
      loss(job) {
        const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
        return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers: 1, heads: 2, dim, context }), targets);
      },
      optimizer: gathering(decay, rate, chunking),
    });
    const apply = combine({
      by: "worker",
      weightsOf: local,
      keeps: [],
      reads: { sent: each("send", 2) },
      next({ weight }, _, { name, ports: { sent } }) {
        const parts = sent.map((port) => read(port, name, weight.shape, chunking));
        // Round 0 sends nothing.
        const step = mul(toFloat(gt(sent[0].entry("round"), 0)), rate);
        return sub(weight, mul(sign(decode(parts, weight.shape, chunking)), step));
      },
    });
    const ahead = combine({
      by: "worker",
      weightsOf: local,
      reads: { agreed: now("apply"), last: before("local") },
      next: (_, { agreed }, { name, ports }) =>
        sub(agreed, mul(sign(ports.last.entry(`${DELTA}${name}`, agreed)), rate)),
    });
    const send = turn({
      by: "worker",
      reads: { local: now("local") },
      entries: ({ local: { types } }) =>
        Object.assign({ round: { dtype: "i32", shape: [] } }, ...deltasOf(types).map(({ name, shape }) => messageOf(name, shape, chunking))), // prettier-ignore
      begin: ({ reads: { local: made }, data }) =>
        Object.assign({ round: data.round }, ...deltasOf(made.types).map(({ name }) => encode(name, { values: made.entry(`${VALUES}${name}`), places: made.entry(`${PLACES}${name}`) }))), // prettier-ignore
    });
    return { apply, ahead, local, send };
  },
});
