/**
 * SHARDCAST, which brings the weights of PRIME's INTELLECT-2 (arXiv 2505.07291) from their origin through
 * relays to clients. Here each hop is a leaf: `./verde rounds run examples/rounds/shardcast.ts --out out/a`
 *
 * A relay's state is what it hands on, under the roots that the origin has signed; the bytes travel as blobs
 * by content (docs/blobs.md). `bench/shardcast.ts` sends them over HTTP.
 */
import {
  adamW,
  add,
  argmax,
  count,
  crossEntropy,
  eq,
  intTensor,
  matmul,
  mean,
  option,
  perceptron,
  relu,
  sampleRows,
  tensor,
  toFloat,
  type Value,
} from "@verde-ml/verde/job";
import { combine, defineRounds, now, own, type Port, train, turn } from "@verde-ml/verde/rounds";
import { digits } from "../digits.ts";

/** The classes that received weights give to images: f32 [rows, 64] → i32 [rows]. */
function classesOf(weights: Port, images: Value): Value {
  const layer = (x: Value, i: number) =>
    add(matmul(x, weights.entry(`digit.${i}.weight`)), weights.entry(`digit.${i}.bias`));
  return argmax(layer(relu(layer(images, 0)), 1), -1);
}

export default defineRounds({
  name: "shardcast",
  rounds: 3,
  seed: 1,
  options: {
    relays: count(2, "how many relays there are between the origin and the clients"),
    clients: count(2, "how many clients fetch from each relay"),
    inner: count(10, "steps of the origin in a round"),
    batch: count(64, "examples in a step"),
    hidden: count(64, "width of the hidden layer"),
    rate: option(0.01, "learning rate of AdamW"),
  },
  members: ({ relays, clients }) => ({
    origin: 1,
    relay: relays,
    ...Object.fromEntries(Array.from({ length: relays }, (_, relay) => [`client${relay}`, clients])),
  }),
  data(role, member, { relays, clients }) {
    const { images, labels, testImages, testLabels } = digits();
    if (role === "origin") return { images: tensor([labels.data.length, 64], images.data), labels };
    if (role === "relay") return {};
    // Each client has test digits of its own.
    const rows = Math.floor(testLabels.data.length / (relays * clients));
    const from = rows * (Number(role.slice("client".length)) * clients + member);
    return {
      images: tensor([rows, 64], testImages.data.slice(64 * from, 64 * (from + rows))),
      labels: intTensor([rows], testLabels.data.slice(from, from + rows)),
    };
  },
  turns({ relays, clients, inner, batch, hidden, rate }) {
    const local = train({
      by: "origin",
      steps: inner,
      weights: own(),
      loss(job) {
        const { images, labels } = sampleRows(job, { images: job.data.images, labels: job.data.labels }, batch);
        return crossEntropy(perceptron(job, "digit", images, { hidden: [hidden], outputs: 10 }), labels);
      },
      optimizer: adamW({ learningRate: rate }),
    });
    // A relay computes nothing, so the roots of its state are those of the origin's weights.
    const relay = combine({
      by: "relay",
      weightsOf: local,
      reads: { origin: now("local") },
      next: (_, { origin }) => origin,
    });
    const rows = Math.floor(360 / (relays * clients));
    const use = (through: number) =>
      turn({
        by: `client${through}`,
        reads: { weights: now("relay", through) },
        entries: () => ({ classes: { dtype: "i32", shape: [rows] }, right: { dtype: "f32", shape: [] } }),
        begin({ reads: { weights }, data }) {
          const classes = classesOf(weights, data.images);
          return { classes, right: mean(toFloat(eq(classes, data.labels))) };
        },
      });
    const uses = Array.from({ length: relays }, (_, through) => [`use${through}`, use(through)] as const);
    return { local, relay, ...Object.fromEntries(uses) };
  },
});
