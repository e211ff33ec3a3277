/**
 * Streaming DiLoCo (arXiv 2501.18512): the weights have parts, and each is merged at a time of its own, so that
 * a message has one part: `./verde rounds run examples/rounds/streaming-diloco.ts --out out/a`
 *
 * A round has as many segments of steps as there are parts. What is sent after a segment is merged after the
 * next one: a worker trains on while it is on its way.
 */
import { fileURLToPath } from "node:url";
// prettier-ignore
import {
  adamW, add, byteTokens, count, crossEntropy, gpt, gt, intTensor, mul, option, sampleWindows, sub, where,
} from "@verde-ml/verde/job";
import { before, combine, defineRounds, each, now, own, train, turn, type Turn } from "@verde-ml/verde/rounds";
import { outerStep } from "./diloco.ts";

const PROSE = fileURLToPath(new URL("../data/verde.txt", import.meta.url));

type Weight = { readonly name: string; readonly shape: readonly number[] };
const isWeight = ({ name }: Weight) => !name.startsWith("momentum/");

/**
 * The part of each weight by its name: the largest go first, each to the part that has the fewest elements so
 * far, and of several to the one with the lowest number.
 */
export function partsOf(weights: readonly Weight[], parts: number): Map<string, number> {
  const size = ({ shape }: Weight): number => shape.reduce((a, b) => a * b, 1); // prettier-ignore
  const filled = Array.from({ length: parts }, () => 0);
  const chosen = weights.toSorted((a, b) => size(b) - size(a)).map((weight): [string, number] => {
    const part = filled.indexOf(Math.min(...filled));
    filled[part] += size(weight);
    return [weight.name, part];
  }); // prettier-ignore
  return new Map(chosen);
}

export default defineRounds({
  name: "streaming-diloco",
  rounds: 3,
  seed: 1,
  options: {
    workers: count(4, "how many workers train apart, each on its own part of the text"),
    parts: count(2, "parts of the weights, about as large, and segments of a round"),
    inner: count(5, "steps of AdamW in a segment"),
    mix: option(0.5, "how much of a worker's own weights stays when a part is merged"),
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
  turns({ workers, parts, inner, mix, batch, context, dim, rate, outer: outerRate, momentum: share }) {
    const turns: Record<string, Turn> = {};
    /** A value for each weight of a part, by its name. */
    const ofPart = <W extends Weight, T>(weights: readonly W[], part: number, value: (weight: W) => T) => Object.fromEntries(weights.flatMap((weight) => (partsOf(weights, parts).get(weight.name) === part ? [[weight.name, value(weight)]] : []))); // prettier-ignore
    /** The turn of the segment before, which is in this round or was the last one of the round before. */
    const earlier = (name: string, part: number) => (part > 0 ? now(`${name}${part - 1}`) : before(`${name}${parts - 1}`)); // prettier-ignore
    for (let part = 0; part < parts; part++) {
      const local = train({
        by: "worker",
        steps: inner,
        weights: earlier("mixed", part),
        // Moments are never merged: they continue from segment to segment.
        keeps: part > 0 ? now(`local${part - 1}`) : parts > 1 ? before(`local${parts - 1}`) : own(),
        loss(job) {
          const { inputs, targets } = sampleWindows(job, job.data.text, { batch, length: context });
          return crossEntropy(gpt(job, inputs, { vocabulary: 256, layers: 1, heads: 2, dim, context }), targets);
        },
        optimizer: adamW({ learningRate: rate, beta2: 0.95, weightDecay: 0.1, clipNorm: 1 }),
      });
      const send = turn({
        by: "worker",
        reads: { local: now(`local${part}`), weights: earlier("mixed", part) },
        entries: ({ weights }) => ofPart(weights.types, part, (type) => type),
        begin: ({ reads: { local: made, weights } }) => ofPart(weights.types, part, ({ name }) => made.entry(name)),
      });
      const outer = combine({
        by: "server",
        weightsOf: local,
        keeps: ["momentum"],
        reads: { sent: each(`send${part}`) },
        next(mine, _, { name, ports: { sent } }) {
          if (!sent[0].has(name)) return { weight: mine.weight, momentum: mine.momentum };
          const changes = sent.map((port) => sub(mine.weight, port.entry(name)));
          const slope = mul(changes.reduce((sum, change) => add(sum, change)), 1 / workers); // prettier-ignore
          return outerStep(mine.weight, mine.momentum, slope, outerRate, share);
        },
      });
      // What the workers fetch has the part alone, without the momentum.
      const merged = turn({
        by: "server",
        reads: { outer: now(`outer${part}`) },
        entries: ({ outer: { types } }) => ofPart(types.filter(isWeight), part, (type) => type),
        begin: ({ reads: { outer: made } }) =>
          ofPart(made.types.filter(isWeight), part, ({ name }) => made.entry(name)),
      });
      const mixed = combine({
        by: "worker",
        weightsOf: local,
        reads: { local: now(`local${part}`), merged: earlier("merged", part) },
        next(_, reads, { name, data, ports }) {
          if (!ports.merged.has(name)) return reads.local;
          const both = add(mul(reads.local, mix), mul(reads.merged, 1 - mix));
          // In the first segment nothing has come yet.
          return part > 0 ? both : where(gt(data.round, 1), both, reads.local);
        },
      });
      Object.assign(turns, { [`local${part}`]: local, [`send${part}`]: send, [`outer${part}`]: outer, [`merged${part}`]: merged, [`mixed${part}`]: mixed }); // prettier-ignore
    }
    return turns;
  },
});
