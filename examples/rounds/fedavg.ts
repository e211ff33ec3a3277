/**
 * Federated averaging (arXiv 1602.05629): clients train on digits of their own, and a server takes the mean
 * of their weights by how many examples each has: `./verde rounds run examples/rounds/fedavg.ts --out out/a`
 *
 * The mean has two forms whose last bits differ, as in Flower: `--mean sum` divides the weighted sum once,
 * `--mean share` adds shares. `--proximal 0.1` holds clients near the server's weights (FedProx), `--server
 * adam` moves these by Adam (FedAdam).
 */
// prettier-ignore
import {
  add, count, crossEntropy, div, intTensor, logisticRegression, mul, oneHot, option, randperm, reshape, sampleRows,
  sgd, slice, sqrt, square, sub, sum, tensor, toFloat, type Value,
} from "@verde-ml/verde/job";
import { combine, defineRounds, each, now, type Ports, type Source, train, turn } from "@verde-ml/verde/rounds";
import { digits } from "../digits.ts";

/** The rows of each client: client k has k + 1 parts of all, so that the weights of the mean differ. */
const partOf = (client: number, clients: number) => {
  const part = Math.floor(1437 / ((clients * (clients + 1)) / 2));
  return { from: (part * (client * (client + 1))) / 2, rows: part * (client + 1) };
};
const total = (values: readonly Value[]): Value => values.reduce((left, right) => add(left, right));

/**
 * The mean of values by sizes, in the order of the clients: `sum` divides once, anything else adds shares.
 * @param chosen f32 [clients], 1 for those that count and 0 for others; absent: all
 */
export function weightedMean(values: readonly Value[], sizes: readonly number[], form: string, chosen?: Value): Value {
  if (chosen) {
    const counts = sizes.map((size, client) => mul(reshape(slice(chosen, 0, client, client + 1), []), size));
    const weigh = (by: readonly Value[]): Value => total(values.map((value, client) => mul(value, by[client])));
    return form === "sum" ? div(weigh(counts), total(counts)) : weigh(counts.map((count) => div(count, total(counts))));
  }
  const all = sizes.reduce((left, right) => left + right);
  return form === "sum"
    ? div(total(values.map((value, client) => mul(value, sizes[client]))), all)
    : total(values.map((value, client) => mul(value, sizes[client] / all)));
}

export default defineRounds({
  name: "fedavg",
  rounds: 3,
  seed: 1,
  options: {
    clients: count(5, "how many clients train, on parts of different sizes"),
    inner: count(10, "steps of a client in a round"),
    batch: count(32, "examples in a step"),
    rate: option(0.1, "learning rate of a client"),
    mean: option("sum", "sum: the weighted sum is divided once; share: each client's share is added"),
    fraction: option(1, "the part of the clients that the server draws in each round; the others do not count"),
    proximal: option(0, "how strongly clients are held near the server's weights (FedProx)"),
    server: option("mean", "mean: the mean becomes the weights; adam: Adam takes it as its target (FedAdam)"),
    serverRate: option(0.1, "learning rate of FedAdam"),
  },
  members: ({ clients }) => ({ client: clients, server: 1 }),
  data(role, member, { clients }) {
    if (role !== "client") return {};
    const { images, labels } = digits();
    const { from, rows } = partOf(member, clients);
    return {
      images: tensor([rows, 64], images.data.slice(64 * from, 64 * (from + rows))),
      labels: intTensor([rows], labels.data.slice(from, from + rows)),
    };
  },
  turns({ clients, inner, batch, rate, mean, fraction, proximal, server, serverRate }) {
    const sizes = Array.from({ length: clients }, (_, client) => partOf(client, clients).rows);
    const local = train({
      by: "client",
      steps: inner,
      weights: "merge",
      keeps: false,
      loss(job, { weights }) {
        const { images, labels } = sampleRows(job, { images: job.data.images, labels: job.data.labels }, batch);
        const loss = crossEntropy(logisticRegression(job, "digit", images, 10), labels);
        if (proximal === 0) return loss;
        const distances = job.parameters.map(({ name, value }) => sum(square(sub(value, weights.entry(name, value)))));
        return add(loss, mul(reshape(total(distances), []), proximal / 2));
      },
      optimizer: sgd({ learningRate: rate }),
    });
    if (!(fraction > 0 && fraction <= 1)) throw new RangeError(`a fraction of ${fraction} clients can't be drawn; take a number above 0, up to 1`); // prettier-ignore
    const drawn = Math.max(1, Math.floor(fraction * clients));
    const draw = turn({
      by: "server",
      reads: {},
      entries: () => ({ chosen: { dtype: "f32", shape: [clients] } }),
      begin: ({ random }) => ({ chosen: sum(toFloat(oneHot(slice(randperm(random, clients), 0, 0, drawn), clients)), [0]) }), // prettier-ignore
    });
    const isPartial = drawn < clients;
    // Without a draw there is no roster to read.
    const reads = { clients: each("local"), ...(isPartial && { roster: now("draw") }) } as { clients: Source<"each">; roster: Source<"one"> }; // prettier-ignore
    const by = { by: "server", weightsOf: local, reads } as const;
    const average = (values: readonly Value[], { roster }: Ports<typeof reads>): Value =>
      weightedMean(values, sizes, mean, isPartial ? roster.entry("chosen") : undefined);
    const turns = { local, ...(isPartial && { draw }) };
    if (server === "mean") return { ...turns, merge: combine({ ...by, next: (_, { clients: all }, { ports }) => average(all, ports) }) }; // prettier-ignore
    const merge = combine({
      ...by,
      keeps: ["first", "second"],
      next(own, { clients: all }, { ports }) {
        const change = sub(average(all, ports), own.weight);
        const first = add(mul(own.first, 0.9), mul(change, 0.1));
        const second = add(mul(own.second, 0.99), mul(square(change), 0.01));
        return { weight: add(own.weight, mul(div(first, add(sqrt(second), 1e-3)), serverRate)), first, second };
      },
    });
    return { ...turns, merge };
  },
});
