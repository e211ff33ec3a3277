/**
 * The butterfly all-reduce of IOTA (arXiv 2507.17766): each pair of miners takes the mean of one shard of the
 * weights, so each mean is there twice: `./verde rounds run examples/rounds/iota.ts --out out/a`
 */
// prettier-ignore
import {
  adamW, add, concat, cosineSimilarity, count, crossEntropy, div, gather, ge, gt, intTensor, logicalAnd, maximum,
  minimum, mul, ne, option, pad, perceptron, reshape, sampleRows, slice, sum, tensor, toBf16, toFloat, type Value,
  vectorNorm,
} from "@verde-ml/verde/job";
import { before, combine, defineRounds, each, type Port, train, turn } from "@verde-ml/verde/rounds";
import { digits } from "../digits.ts";

/** The pairs of miners, one for each shard. */
export const pairsOf = (miners: number): [number, number][] =>
  Array.from({ length: miners }, (_, a) => Array.from({ length: miners - a - 1 }, (_pair, b): [number, number] => [a, a + 1 + b])).flat(); // prettier-ignore
/** The shards that a miner computes, in their order. */
const shardsOf = (miner: number, miners: number): number[] =>
  [...pairsOf(miners).entries()].filter(([, pair]) => pair.includes(miner)).map(([shard]) => shard);

/** A tensor as shards of one size, with zeros at the end: [shards, ⌈elements / shards⌉]. */
function cut(x: Value, shards: number): Value {
  const count = x.shape.reduce((a, b) => a * b, 1);
  const size = Math.ceil(count / shards);
  return reshape(pad(reshape(x, [count]), 0, 0, shards * size - count), [shards, size]);
}

/**
 * How two copies of each shard compare, both f32 [shards, n]: IOTA's check, which asks for a cosine above 0.9
 * and norms whose ratio is at least 0.7, and the number of elements that are not the same.
 */
export function compare(a: Value, b: Value): Record<"cosine" | "ratio" | "passes" | "differ", Value> {
  const cosine = cosineSimilarity(a, b, -1);
  const [left, right] = [vectorNorm(a, [1]), vectorNorm(b, [1])];
  const ratio = div(minimum(left, right), maximum(left, right));
  const passes = toFloat(logicalAnd(gt(cosine, 0.9), ge(ratio, 0.7)));
  return { cosine, ratio, passes, differ: sum(toFloat(ne(a, b)), [1]) };
}

export default defineRounds({
  name: "iota",
  rounds: 3,
  seed: 1,
  options: {
    miners: count(4, "how many miners train, each on its own digits"),
    inner: count(10, "steps of a miner in a round"),
    batch: count(32, "examples in a step"),
    hidden: count(16, "width of the hidden layer"),
    rate: option(0.01, "learning rate of AdamW"),
  },
  members: ({ miners }) => ({ miner: miners, validator: 1 }),
  data(role, member, { miners }) {
    if (role !== "miner") return {};
    const { images, labels } = digits();
    const rows = Math.floor(labels.data.length / miners);
    return {
      images: tensor([rows, 64], images.data.slice(64 * rows * member, 64 * rows * (member + 1))),
      labels: intTensor([rows], labels.data.slice(rows * member, rows * (member + 1))),
      shards: intTensor([miners - 1], shardsOf(member, miners)),
    };
  },
  turns({ miners, inner, batch, hidden, rate }) {
    const pairs = pairsOf(miners);
    const local = train({
      by: "miner",
      steps: inner,
      weights: "merge",
      loss(job) {
        const { images, labels } = sampleRows(job, { images: job.data.images, labels: job.data.labels }, batch);
        return crossEntropy(perceptron(job, "digit", images, { hidden: [hidden], outputs: 10 }), labels);
      },
      optimizer: adamW({ learningRate: rate }),
    });
    const reduce = turn({
      by: "miner",
      reads: { all: each("local"), start: before("merge") },
      entries: ({ start }) =>
        Object.fromEntries(start.types.map(({ name, shape }) => [name, { dtype: "f32", shape: [miners - 1, Math.ceil(shape.reduce((a, b) => a * b, 1) / pairs.length)] }])), // prettier-ignore
      begin: ({ reads: { all, start }, data }) =>
        Object.fromEntries(
          start.types.map(({ name }) => {
            const parts = all.map((port) => gather(cut(port.entry(name), pairs.length), data.shards));
            return [name, toBf16(mul(parts.reduce((total, part) => add(total, part)), 1 / miners))]; // prettier-ignore
          }),
        ),
    });
    /** All shards of a tensor, each as the first or the second of its pair has it. */
    const copy = (ports: readonly Port[], name: string, which: 0 | 1): Value => {
      const rows = pairs.map((pair, shard) => {
        const at = shardsOf(pair[which], miners).indexOf(shard);
        return slice(ports[pair[which]].entry(name), 0, at, at + 1);
      });
      return concat(rows, 0);
    };
    const shape = [pairs.length];
    const check = turn({
      by: "validator",
      reads: { reduced: each("reduce") },
      entries: () => Object.fromEntries(["cosine", "ratio", "passes", "differ"].map((name) => [name, { dtype: "f32", shape }])), // prettier-ignore
      begin({ reads: { reduced } }) {
        const whole = (which: 0 | 1) => concat(reduced[0].types.map(({ name }) => copy(reduced, name, which)), 1); // prettier-ignore
        return compare(whole(0), whole(1));
      },
    });
    const merge = combine({
      by: "validator",
      weightsOf: local,
      keeps: [],
      reads: { reduced: each("reduce") },
      next({ weight }, _, { name, ports }) {
        const count = weight.shape.reduce((a, b) => a * b, 1);
        const flat = copy(ports.reduced, name, 0);
        return reshape(slice(reshape(flat, [flat.shape[0] * flat.shape[1]]), 0, 0, count), weight.shape);
      },
    });
    return { local, reduce, check, merge };
  },
});
