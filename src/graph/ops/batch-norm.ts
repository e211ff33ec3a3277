/** Norms over the channels of a batch. */
import { rsqrt } from "../../repops/functions/roots.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { checkOptions } from "../../errors/arguments.ts";
import { map } from "../emit.ts";
import { fill } from "../fill.ts";
import type { Operator, Textbook } from "../operator.ts";
import { PRODUCT, type Standard, standardise } from "../standardise.ts";
import { expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { channelsOf, perChannel } from "./group-norm.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

const STANDARD = defineProgram("fff", (x, mean, scale) => x.sub(mean).mul(scale));

/** The options of `batchNorm`. */
export interface BatchNormOptions {
  /** The mean of each channel, f32 [channels]: the evaluation form. Absent: that of the batch. */
  mean?: Value;
  /** The variance of each channel, f32 [channels]; given with `mean`. */
  variance?: Value;
  /** Added to the variance; 1e-5. */
  epsilon?: number;
}

/** The batch by channels: [channels, examples · positions]. */
function byChannel(parts: Value, name: string) {
  const [examples, channels, positions] = parts.shape;
  const turned = transpose(parts, [1, 0, 2]);
  const rows = reshape(turned, [channels, examples * positions]);
  if (rows.shape[1] < 2)
    throw shapeError(
      "OPERANDS",
      parts.builder,
      name,
      `a batch with ${rows.shape[1]} elements of a channel has no variance; give two or more, or statistics`,
    );
  const back = (value: Value): Value => transpose(reshape(value, turned.shape), [1, 0, 2]);
  return { rows, back };
}

/**
 * (x - mean) / sqrt(variance + epsilon) · weight + bias, with the mean and variance (biased) of each channel
 * over all examples and positions: f32 [examples, channels, ...] → the same. With `mean` and `variance` it is
 * the evaluation form, and no gradient flows to these.
 *
 *     const y = batchNorm(x, weight, bias);                     // training
 *     const z = batchNorm(x, weight, bias, { mean, variance }); // evaluation
 *
 * @param weight f32 [channels]; absent: 1
 * @param bias f32 [channels]; absent: 0
 * @param name the label of the operator; "batch-norm"
 * @throws {ShapeError} when x has no channels, an operand does not have one element for each, or a channel
 *   has fewer than two elements and no statistics are given
 * @throws {GraphError} when one of `mean` and `variance` is missing, the operands belong to two graphs, or
 *   epsilon is negative or not a vf32
 */
export function batchNorm(
  x: Value,
  weight?: Value,
  bias?: Value,
  options: BatchNormOptions = {},
  name = "batch-norm",
): Value {
  expectValue(x, name, "x");
  const refuse = settingOf(x.builder.label(name));
  checkOptions(options, ["mean", "variance", "epsilon"], refuse);
  const { mean, variance, epsilon = 1e-5 } = options;
  if (!mean !== !variance) throw refuse("one of mean and variance is missing; give both, or none");
  const parts = channelsOf(x, { weight, bias, mean, variance }, epsilon, name);
  const standard = mean && variance ? fixed(parts, mean, variance, epsilon, name) : ofBatch(parts, epsilon, name);
  return perChannel(x, standard, weight, bias, name);
}

function ofBatch(parts: Value, epsilon: number, name: string): Standard {
  const { rows, back } = byChannel(parts, name);
  const { normal, backward } = standardise(rows, epsilon, name);
  return {
    normal: back(normal),
    backward: (gradient) => back(backward(reshape(transpose(gradient, [1, 0, 2]), rows.shape))),
  };
}

/** (x - mean) / sqrt(variance + epsilon) with given statistics. */
function fixed(parts: Value, mean: Value, variance: Value, epsilon: number, name: string): Standard {
  const { shape } = parts;
  const over = (value: Value): Value => broadcastTo(reshape(value, [1, shape[1], 1]), shape);
  const scaleOf = defineProgram("f", (spread) => rsqrt(spread.add(float(epsilon))));
  const scale = over(map(scaleOf, [variance], { name: `${name}-scale`, shape: variance.shape }));
  return {
    normal: map(STANDARD, [parts, over(mean), scale], { name: `${name}-normal`, shape }),
    backward: (gradient) => map(PRODUCT, [gradient, scale], { name: `${name}-gradient`, shape }),
  };
}

/**
 * The mean and the variance (unbiased: divided by the number of elements less one) of each channel of a
 * batch: f32 [examples, channels, ...] → f32 [channels] twice. A layer makes running statistics of them. No
 * gradient flows.
 * @param name the label of the operator; "batch-norm", so that it shares the kernels of `batchNorm`
 * @throws {ShapeError} when x has no channels, or a channel has fewer than two elements
 */
export function batchStatistics(x: Value, epsilon = 1e-5, name = "batch-norm"): { mean: Value; variance: Value } {
  const { rows } = byChannel(channelsOf(x, {}, epsilon, name), name);
  const count = rows.shape[1];
  return standardise(rows, epsilon, name).statistics(count / (count - 1));
}

/** By the textbook, of [2, 3, 4]. */
function textbook(m: Textbook, x: number[], of: (row: number[]) => [number, number]): number[] {
  const channel = (i: number): number => Math.floor(i / 4) % 3;
  const statistics = [0, 1, 2].map((c) => of(x.filter((_, i) => channel(i) === c)));
  return x.map((value, i) => {
    const [mean, variance] = statistics[channel(i)];
    return (value - mean) / m.sqrt(variance + 1e-5);
  });
}

const moments = (row: readonly number[]): [number, number] => {
  const mean = row.reduce((a, b) => a + b) / row.length;
  return [mean, row.reduce((total, value) => total + (value - mean) * (value - mean), 0) / row.length];
};

batchNorm.check = {
  number: 103,
  name: "batch norm",
  digests: {
    result: "0xcff371d036120e3f52b75dcb71f9362200a54d1a4c3db3b526e340c40543ad57",
    "gradient 0": "0x72074e1aa65fd67def47deef799237d4b384613935ce1941b75623f3c466c0b4",
    "gradient 1": "0x636a3b29a3563eba82d6b8c3cc431e8c1282fc56c1f9e26a61e92a14ca04d946",
    "gradient 2": "0xfc0d46e370ecb0fd632eef4fe3813a5e0c79f20de628d6c773cb11d1744c42c6",
  },
  vector: ({ floats }) => ({
    y: batchNorm(floats(3107, 6, 3, 5, 7), floats(3108, 3), floats(3109, 3)),
    gradient: floats(3110, 6, 3, 5, 7),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 4] }, { shape: [3] }, { shape: [3] }],
      apply: (x, weight, bias) => batchNorm(x, weight, bias),
      textbook: (m, x, weight, bias) =>
        textbook(m, x, moments).map((y, i) => y * weight[Math.floor(i / 4) % 3] + bias[Math.floor(i / 4) % 3]),
    },
    {
      title: "with given statistics",
      operands: [{ shape: [2, 3, 4] }],
      apply: (x) => {
        const [mean, variance] = [0.25, 1.5].map((value) => fill(x.builder, [3], value));
        return batchNorm(x, undefined, undefined, { mean, variance });
      },
      textbook: (m, x) => textbook(m, x, () => [0.25, 1.5]),
    },
  ],
} satisfies Operator["check"];

batchStatistics.check = {
  number: 104,
  name: "batch statistics",
  digests: {
    result: "0x83dbbf1fe86edf4c5692eb936404a69b4e8b767772ef549b232d78de1d815b69",
  },
  vector: ({ floats }) => ({ y: batchStatistics(floats(3111, 6, 3, 5, 7)).variance }),
  gradient: "none",
} satisfies Operator["check"];
