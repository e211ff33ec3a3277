/**
 * Gauntlet (arXiv 2505.21684), as Templar scores its peers: a validator applies each message alone, and rates
 * the peers by what the loss gains: `./verde rounds run examples/rounds/gauntlet.ts --out out/a`
 */
import * as job from "@verde-ml/verde/job";
import { count, option, type Value } from "@verde-ml/verde/job";
import { before, combine, defineRounds, each, now, own, train, turn } from "@verde-ml/verde/rounds";
import { digits } from "../digits.ts";
import { rate } from "./plackett-luce.ts";
import { encode, messageOf, read, spread } from "./sparse-message.ts";

const { add, div, mul, sub, sum } = job;

/** Half of all is burned; the rest is on a ramp from 2 to 1 by the rank, for final scores above 0 alone. */
export function weightsOf(final: Value): Value {
  const [n] = final.shape;
  const ahead = sum(job.toFloat(job.gt(job.reshape(final, [1, n]), job.reshape(final, [n, 1]))), [1]);
  const ramp = mul(job.toFloat(job.gt(final, 0)), sub(2, div(ahead, n - 1)));
  return mul(div(ramp, job.maximum(sum(ramp), 1e-6)), 0.5);
}

const loss = (images: Value, labels: Value, [weight, bias]: readonly Value[]): Value =>
  job.crossEntropy(add(job.matmul(images, weight), bias), labels);
const NAMES = ["digit.weight", "digit.bias"] as const;

export default defineRounds({
  name: "gauntlet",
  rounds: 3,
  seed: 1,
  options: {
    peers: count(4, "how many peers train"),
    inner: count(5, "steps of a peer in a round"),
    batch: count(32, "examples in a step"),
    rate: option(0.01, "learning rate of AdamW"),
    keep: count(16, "elements of a chunk that are sent"),
    copied: option(0.9, "from what share of the places of a peer before on a message counts as a copy"),
    seeds: option("plan", "what samples follow from: plan, or record, by which nobody knows them before the round"),
    noise: count(1, "how many of the last peers have labels that say nothing", { from: 0 }),
  },
  seeds: ({ seeds }) => seeds,
  members: ({ peers }) => ({ peer: peers, validator: 1 }),
  data(role, member, { peers, noise }) {
    const { images, labels } = digits();
    // One part for each peer, and one more for the validator alone.
    const rows = Math.floor(labels.data.length / (peers + 1));
    const part = (from: number, count: number, isNoise = false) => ({
      images: job.tensor([count, 64], images.data.slice(64 * from, 64 * (from + count))),
      labels: job.intTensor([count], labels.data.slice(from, from + count).map((label, i) => (isNoise ? (7 * i) % 10 : label))), // prettier-ignore
    });
    return role === "peer" ? part(member * rows, rows, member >= peers - noise) : part(0, (peers + 1) * rows);
  },
  turns({ peers, inner, batch, rate: learningRate, keep, copied }) {
    const sparsity = { chunk: 8, keep };
    const local = train({
      by: "peer",
      steps: inner,
      weights: "apply",
      loss(given) {
        const drawn = job.sampleRows(given, { images: given.data.images, labels: given.data.labels }, batch);
        return job.crossEntropy(job.logisticRegression(given, "digit", drawn.images, 10), drawn.labels);
      },
      optimizer: job.adamW({ learningRate }),
    });
    const send = turn({
      by: "peer",
      reads: { local: now("local"), start: before("apply") },
      entries: ({ start }) => Object.assign({}, ...start.types.map(({ name, shape }) => { const { types, named } = messageOf(name, shape, sparsity); return named(types); })), // prettier-ignore
      begin: ({ reads: { local: end, start } }) =>
        Object.assign({}, ...start.types.map(({ name, shape }) => messageOf(name, shape, sparsity).named(encode(sub(start.entry(name), end.entry(name)), sparsity)))), // prettier-ignore
    });
    const vector = { dtype: "f32", shape: [peers] } as const;
    const score = turn({
      by: "validator",
      reads: { sent: each("send"), start: before("apply", 1, 0), own: own() },
      entries: () => ({ gain: vector, indicator: vector, mean: vector, overlap: vector, mu: { ...vector, init: job.constant(25) }, sigma: { ...vector, init: job.constant(25 / 3) }, final: vector, weights: vector }), // prettier-ignore
      begin({ reads: { sent, start, own: old }, data, random }) {
        const rows = data.labels.shape[0] / (peers + 1);
        const part = (i: number): Value[] => ["images", "labels"].map((name) => job.slice(data[name], 0, i * rows, (i + 1) * rows)); // prettier-ignore
        const drawn = job.randomInt(random, [2 * batch], rows);
        const common = part(peers).map((value) => job.gather(value, drawn));
        const from = NAMES.map((name) => start.entry(name));
        const found = sent.map((port, i) => {
          const sparse = NAMES.map((name, k) => read(port, name, from[k].shape, sparsity));
          const dense = (parts: typeof sparse) => parts.map((one, k) => spread([one], from[k].shape, sparsity));
          const moved = dense(sparse).map((change, k) => sub(from[k], mul(change, 0.2)));
          const gainOn = ([images, labels]: Value[]) => {
            const was = loss(images, labels, from);
            return div(sub(was, loss(images, labels, moved)), was);
          };
          const ones = dense(sparse.map(({ values, places }) => ({ values: add(mul(values, 0), 1), places })));
          const mask = job.concat(ones.map((one) => job.reshape(one, [-1])), 0); // prettier-ignore
          return { gain: gainOn(common), assigned: gainOn(part(i)), mask };
        });
        const gain = job.stack(found.map((one) => one.gain));
        const isOwn = job.gt(job.stack(found.map((one) => one.assigned)), gain);
        const indicator = sub(mul(job.toFloat(isOwn), 2), 1);
        const mean = add(mul(old.entry("mean"), 0.95), mul(indicator, 0.05));
        const rated = rate(old.entry("mu"), old.entry("sigma"), gain);
        const masks = job.stack(found.map(({ mask }) => mask));
        const shared = div(job.matmul(masks, job.transpose(masks)), sum(masks, [1], { keepdim: true }));
        const overlap = job.amax(job.tril(shared, -1), [1]);
        const isNew = job.toFloat(job.lt(overlap, copied));
        const final = mul(mul(sub(rated.mu, mul(rated.sigma, 3)), job.maximum(mean, 0)), isNew);
        return { gain, indicator, mean, overlap, ...rated, final, weights: weightsOf(final) };
      },
    });
    const apply = combine({
      by: "peer",
      weightsOf: local,
      keeps: [],
      reads: { sent: each("send") },
      next: ({ weight }, _, { name, ports }) =>
        sub(weight, spread(ports.sent.map((port) => read(port, name, weight.shape, sparsity)), weight.shape, sparsity)), // prettier-ignore
    });
    return { local, send, score, apply };
  },
});
