/** Schemes whose members train on handwritten digits. */
import {
  adamW,
  type ClosedJob,
  type Context,
  crossEntropy,
  defineJob,
  intTensor,
  logisticRegression,
  type Optimizer,
  perceptron,
  sampleRows,
  tensor,
  type Value,
  zeros,
} from "../../src/job/index.ts";
import type { Plan, RoundsRecord } from "../../src/rounds/index.ts";
import { loadRounds } from "../../src/rounds/load.ts";
import { bytesOf, heldLoss, type Scheme, statesOf, trainedFrom, typesOf, weightBytes } from "./scheme.ts";
import { shardOf } from "./text.ts";

/** The logits of images f32 [rows, 64]. */
type Model = (job: Context, images: Value) => Value;

/** Images f32 [rows, 64] and labels i32 [rows]. */
interface Examples {
  images: ReturnType<typeof tensor>;
  labels: ReturnType<typeof intTensor>;
}

/** Examples of several members as those of one. */
const join = (parts: readonly Examples[]): Examples => {
  const rows = parts.reduce((sum, { labels }) => sum + labels.shape[0], 0);
  const labels = parts.flatMap((part) => [...part.labels.data]);
  return { images: tensor([rows, 64], parts.flatMap((part) => [...part.images.data])), labels: intTensor([rows], labels) }; // prettier-ignore
};

/** @param batch how many rows a step draws; 0: all */
const jobOn = (
  given: Examples,
  model: Model,
  steps: number,
  batch: number,
  optimizer?: Optimizer,
): Promise<ClosedJob> =>
  defineJob({
    name: "beside",
    steps,
    seed: 1,
    data: () => ({ ...given }),
    loss(job) {
      const { images, labels } = batch > 0 ? sampleRows(job, { images: job.data.images, labels: job.data.labels }, batch) : job.data; // prettier-ignore
      return crossEntropy(model(job, images), labels);
    },
    ...(optimizer && { optimizer: () => optimizer }),
  }).close();

/** What differs from scheme to scheme. */
interface Setting {
  plan: Plan;
  steps: number;
  /** Steps in all rounds; default: so many in each. */
  all?: number;
  model: Model;
  /** The examples of each member that trains. */
  parts: readonly Examples[];
  /** The turn whose state has the weights that the members agree on. */
  agreed: RegExp;
  batch: number;
  /** Of AdamW, on the joined batch and alone. */
  rate: number;
  /** Bytes of a round, of weights of so many bytes. */
  sent(weights: number): number;
}

async function schemeOf({ plan, steps, all, model, parts, agreed, batch, rate, sent }: Setting): Promise<Scheme> {
  const { digits } = await import("../../examples/digits.ts");
  const { testImages, testLabels } = digits();
  const adam = adamW({ learningRate: rate });
  const test = { images: tensor([testImages.shape[0], 64], testImages.data), labels: testLabels };
  const held = await jobOn(test, model, 1, 0);
  const weights = weightBytes(held);
  // All begin with the weights of the record.
  const trained = async (record: RoundsRecord, of: readonly Examples[], count: number) => {
    const job = await jobOn(join(of), model, all ?? steps * plan.rounds, count, adam);
    return heldLoss(held, await trainedFrom(job, await statesOf(record, 0, agreed)));
  };
  const members = parts.length;
  return {
    plan,
    steps,
    parameters: weights / 4,
    sent: sent(weights),
    inStep: members > 1 ? 2 * members * weights * steps : sent(weights),
    loss: async (record) => heldLoss(held, await statesOf(record, plan.rounds, agreed)),
    joined: (record) => trained(record, parts, members * batch),
    ...(members > 1 && { lone: (record: RoundsRecord) => trained(record, parts.slice(0, 1), batch) }),
  };
}

/** What the members of the first turn are given. */
const partsOf = (plan: Plan): Examples[] => {
  const [images, labels] = [shardOf(plan, "images"), shardOf(plan, "labels")];
  return images.map((each, i) => ({
    images: tensor([...each.shape], [...each.data]),
    labels: intTensor([...labels[i].shape], [...labels[i].data]),
  }));
};
const logistic: Model = (job, images) => logisticRegression(job, "digit", images, 10);
const hiddenLayer = (width: number): Model => (job, images) => perceptron(job, "digit", images, { hidden: [width], outputs: 10 }); // prettier-ignore

/** @param rounds of Psyche: how many updates there are */
export async function digitsScheme(
  name: string,
  rounds: number,
  inner: number,
  more: Record<string, number> = {},
): Promise<Scheme> {
  // prettier-ignore
  // Psyche's first round waits for members, and its last one ends the run.
  const settings: Record<string, number> = name === "psyche" ? { updates: rounds, rounds: rounds + 2 } : { rounds, inner };
  const noiseless: Record<string, number> = name === "gauntlet" ? { noise: 0 } : {};
  const plan = await loadRounds(`examples/rounds/${name}.ts`, { ...settings, ...noiseless, ...more });
  const message = bytesOf(typesOf(plan, /^send$/));
  const base = { plan, steps: inner, model: logistic, agreed: /^apply$/, batch: 32, rate: 0.01 };
  switch (name) {
    // Weights to the server, and back.
    case "fedavg":
      return schemeOf({ ...base, parts: partsOf(plan), agreed: /^merge$/, sent: (bytes) => 10 * bytes });
    // A message to three others and to the validator.
    case "gauntlet":
      return schemeOf({ ...base, parts: partsOf(plan), sent: () => 16 * message });
    // Each of six shards from three other miners to both of its pair, both copies to the validator, and the merged weights back.
    case "iota": {
      const shards = 2 * 6 * (bytesOf(typesOf(plan, /^reduce$/)) / 3);
      return schemeOf({ ...base, model: hiddenLayer(16), parts: partsOf(plan), agreed: /^merge$/, sent: (bytes) => 3 * shards + shards + 4 * bytes }); // prettier-ignore
    }
    // Weights to two relays, and from each to two clients.
    case "shardcast": {
      const parts = partsOf(plan).slice(0, 1);
      return schemeOf({ ...base, model: hiddenLayer(64), parts, agreed: /^local$/, batch: 64, sent: (bytes) => 6 * bytes }); // prettier-ignore
    }
    default:
      return psyche(plan, rounds);
  }
}

/** Four of five clients train in a round, on the 13 parts of 8 rows of its batch; one verifies. */
async function psyche(plan: Plan, updates: number): Promise<Scheme> {
  const { layersOf, logitsOf } = await import("../../examples/rounds/psyche-train.ts");
  const { digits } = await import("../../examples/digits.ts");
  const { images, labels } = digits();
  const hidden = typesOf(plan, /^apply$/).find(({ name }) => name === "firstBias")!.shape[0];
  const layers = Object.entries(layersOf(hidden));
  const model: Model = (job, rows) => logitsOf(Object.fromEntries(layers.map(([name, shape]) => [name, job.parameter(name, shape, zeros)])), rows); // prettier-ignore
  const sends = typesOf(plan, /^local$/).filter(({ name }) => /^(values|places)/.test(name));
  const all = { images: tensor([images.shape[0], 64], images.data), labels };
  const quarter = Math.floor(labels.shape[0] / 4);
  const parts = [0, 1, 2, 3].map((i) => ({
    images: tensor([quarter, 64], all.images.data.slice(64 * quarter * i, 64 * quarter * (i + 1))),
    labels: intTensor([quarter], labels.data.slice(quarter * i, quarter * (i + 1))),
  }));
  // Four messages to four others, and three witnesses to the coordinator.
  const sent = 16 * bytesOf(sends) + 3 * bytesOf(typesOf(plan, /^witness$/));
  const base = { plan, steps: 1, all: updates, model, parts };
  return schemeOf({ ...base, agreed: /^apply$/, batch: 26, rate: 0.01, sent: () => sent });
}
