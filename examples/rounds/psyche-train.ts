/**
 * What clients of Psyche train and send: a perceptron, and the largest coefficients of their momentum as in
 * DeMo.
 */
import * as job from "@verde-ml/verde/job";
import { type Value } from "@verde-ml/verde/job";
import { defineProgram } from "@verde-ml/verde/repops";
import { bytesOf, plus, sha256 } from "./psyche-hash.ts";

const { add, matmul, mul, reshape } = job;
/** The weights of the model by name: 64 pixels, a hidden layer, ten classes. */
export const layersOf = (hidden: number): Readonly<Record<string, readonly number[]>> => ({
  first: [64, hidden],
  firstBias: [hidden],
  second: [hidden, 10],
  secondBias: [10],
});
export type Weights = Readonly<Record<string, Value>>;

/** The classes' logits: f32 [rows, 64] → [rows, 10]. */
export const logitsOf = ({ first, firstBias, second, secondBias }: Weights, images: Value): Value =>
  add(matmul(job.relu(add(matmul(images, first), firstBias)), second), secondBias);

/**
 * A stretch of the examples, from the first one on and round their end; those from `size` to `most` do not
 * count.
 */
export function batchOf(
  { images, labels }: Readonly<Record<"images" | "labels", Value>>,
  { first, size, most }: { first: Value; size: Value; most: number },
) {
  const at = job.arange(labels.builder, 0, most);
  const row = job.remainder(plus(at, first), labels.shape[0]);
  return { images: job.gather(images, row), labels: job.where(job.lt(at, size), job.gather(labels, row), -100) };
}

/** How a momentum is sent. */
export interface Sparsity {
  rate: number;
  decay: number;
  chunk: number;
  keep: number;
}

/**
 * The extents of a message about a weight: chunks, the coefficients that are sent of each, and those that
 * there are.
 */
export function extentsOf(shape: readonly number[], { chunk, keep }: Pick<Sparsity, "chunk" | "keep">) {
  const side = (extent: number): number => {
    for (let h = Math.min(chunk, extent); ; h--) if (extent % h === 0) return h;
  };
  const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
  const [h, w] = [side(rows), side(columns)];
  return { sent: [rows / h, columns / w, Math.min(keep, h * w)] as const, size: h * w };
}

/** A message about a weight, and the momentum when it has been taken out. */
export interface Message {
  values: Value;
  places: Value;
  left: Value;
}

/** A step of a client: its gradient joins the momentum, and the largest coefficients are sent. */
export function contribute(
  weights: Weights,
  momentum: Weights,
  { images, labels }: { images: Value; labels: Value },
  { rate, decay, chunk, keep }: Sparsity,
): Record<string, Message> {
  const names = Object.keys(weights);
  const loss = job.crossEntropy(logitsOf(weights, images), labels);
  const slopes = job.gradients(loss, names.map((name) => weights[name])); // prettier-ignore
  return Object.fromEntries(
    names.map((name, i) => {
      const gathered = add(mul(momentum[name], decay), mul(slopes[i], rate));
      const { sent, size } = extentsOf(gathered.shape, { chunk, keep });
      const coefficients = job.chunkedDct(gathered, chunk);
      const { indices: places } = job.topk(job.abs(coefficients), sent[2]);
      const values = job.takeAlongDim(coefficients, places, -1);
      const left = job.sub(gathered, job.chunkedIdct(job.scatterMean(values, places, size, -1), gathered.shape, chunk));
      return [name, { values, places, left }];
    }),
  );
}

const BITS = defineProgram("f", (x) => x.bits());
/** The SHA-256 of a message: its values and places as four bytes each, the lowest first. */
export function commitmentOf(messages: Readonly<Record<string, Pick<Message, "values" | "places">>>): Value {
  const words = Object.values(messages).flatMap(({ values, places }) => [
    reshape(job.map(BITS, [values], { name: "bits", shape: values.shape }), [-1]),
    reshape(places, [-1]),
  ]);
  return sha256(bytesOf(job.concat(words, 0), "low"));
}

/**
 * A weight after a step along the sign of the mean of messages; one that does not count has places outside of
 * it.
 */
export function moved(
  weight: Value,
  messages: readonly (Pick<Message, "values" | "places"> & { counts: Value })[],
  { rate, chunk, keep }: Sparsity,
): Value {
  const { size } = extentsOf(weight.shape, { chunk, keep });
  const places = messages.map((one) => job.where(one.counts, one.places, size));
  const mean = job.scatterMean(job.concat(messages.map(({ values }) => values), -1), job.concat(places, -1), size, -1); // prettier-ignore
  return job.sub(weight, mul(job.sign(job.chunkedIdct(mean, weight.shape, chunk)), rate));
}
