/** Norms over the last axis, with gradients of their own. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { floatSetting, NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { dotColumns } from "../rows.ts";
import { PRODUCT, standardise, standardiseSquares } from "../standardise.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo, sum } from "./sum.ts";

const AFFINE = defineProgram("fff", (normal, weight, bias) => normal.mul(weight).add(bias));

/**
 * The rows of an operand of a norm, once its operands are checked.
 * @throws {ShapeError | GraphError} as the norms do
 */
function rowsFor(x: Value, parameters: Readonly<Record<string, Value>>, epsilon: number, name: string): Value {
  const builder = builderOf(name, { x, ...parameters });
  for (const operand of [x, ...Object.values(parameters)]) expectFloat(operand, name);
  floatSetting("epsilon", epsilon, NOT_NEGATIVE, settingOf(builder.label(name)));
  const n = x.shape[x.rank - 1];
  if (n === 0) throw shapeError("OPERANDS", builder, name, `rows of no elements, of ${x}, have no mean`);
  const fits = Object.values(parameters).every(({ shape }) => shape.join() === `${n}`);
  const given = Object.entries(parameters).map(([key, value]) => `${key} ${value}`);
  if (x.rank < 1 || !fits)
    throw shapeError("OPERANDS", builder, name, `${given.join(" and ")} do not fit rows of ${x}`);
  return reshape(x, [-1, n]);
}

/**
 * (x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis: f32 [..., n] → [..., n]. It is
 * PyTorch's formula for rows of any magnitude and any mean: the error of (x - mean) / sqrt(variance +
 * epsilon) is some 2^-25 · sqrt(n) at most, and rows of equal elements give the bias.
 * @param weight f32 [n]
 * @param bias f32 [n]
 * @param epsilon 1e-5
 * @param name the label of the operator; "layer-norm"
 * @throws {ShapeError} when weight or bias does not have one element for each column, or an operand is not
 *   f32
 * @throws {GraphError} when the operands belong to two graphs, or epsilon is negative or not a vf32
 */
export function layerNorm(x: Value, weight: Value, bias: Value, epsilon = 1e-5, name = "layer-norm"): Value {
  const rows = rowsFor(x, { weight, bias }, epsilon, name);
  const { shape } = rows;
  const over = (value: Value): Value => broadcastTo(value, shape);
  const { normal, backward } = standardise(rows, epsilon, name);
  const y = map(AFFINE, [normal, over(weight), over(bias)], { name, shape });
  return reshape(y, x.shape).withOrigin([x, weight, bias], (gradient) => {
    const g = reshape(gradient, shape);
    return [
      reshape(backward(map(PRODUCT, [g, over(weight)], { name: `${name}-gradient`, shape })), x.shape),
      dotColumns(g, normal, `${name}-weight-gradient`),
      sum(g, [0], `${name}-bias-gradient`),
    ];
  });
}

/**
 * x / sqrt(mean(x²) + epsilon) · weight over the last axis: f32 [..., n] → [..., n], for rows of any
 * magnitude.
 * @param weight f32 [n]
 * @param epsilon 1e-6, as in Llama; PyTorch's own default is 2^-23
 * @param name the label of the operator; "rms-norm"
 * @throws {ShapeError} when weight does not have one element for each column, or an operand is not f32
 * @throws {GraphError} when the operands belong to two graphs, or epsilon is negative or not a vf32
 */
export function rmsNorm(x: Value, weight: Value, epsilon = 1e-6, name = "rms-norm"): Value {
  const rows = rowsFor(x, { weight }, epsilon, name);
  const { shape } = rows;
  const each = broadcastTo(weight, shape);
  const { normal, backward } = standardiseSquares(rows, epsilon, name);
  const y = map(PRODUCT, [normal, each], { name, shape });
  return reshape(y, x.shape).withOrigin([x, weight], (gradient) => {
    const g = reshape(gradient, shape);
    return [
      reshape(backward(map(PRODUCT, [g, each], { name: `${name}-gradient`, shape })), x.shape),
      dotColumns(g, normal, `${name}-weight-gradient`),
    ];
  });
}

layerNorm.check = {
  number: 23,
  name: "layer norm",
  digests: {
    result: "0x4394600372cdd918334efab1977b72f25513a6b4e75cf799367a8ab77224bde2",
    "gradient 0": "0x2522fce1c7923f68572d04adec185a1e09b71112da2a391166b79914ae72ce7b",
    "gradient 1": "0x36d72f198813f4f8c87e5168e115baeec3326ba62dc6a8166576a552379d9d8b",
    "gradient 2": "0x797a98fce3693f47fad7d88a7117b665667340d828983d924cc3561057a369ac",
  },
  vector: ({ x, g, floats }) => ({ y: layerNorm(x, floats(3015, 37), floats(3016, 37)), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [4, 6] }, { shape: [6] }, { shape: [6] }],
      apply: (x, weight, bias) => layerNorm(x, weight, bias),
      textbook: (m, x, weight, bias) =>
        rowsOf(x, 6).flatMap((row) => {
          const average = row.reduce((a, b) => a + b) / 6;
          const variance = row.reduce((total, value) => total + (value - average) * (value - average), 0) / 6;
          return row.map((value, j) => ((value - average) / m.sqrt(variance + 1e-5)) * weight[j] + bias[j]);
        }),
    },
  ],
} satisfies Operator["check"];

rmsNorm.check = {
  number: 100,
  name: "rms norm",
  digests: {
    result: "0x627ab813de0b879c4a29cf234757fe7722b2f077c03794402a4813016788df55",
    "gradient 0": "0xab990377a91696171b0e5b105b3d6b01f37dc922a7731c51f3eeed657531ff19",
    "gradient 1": "0x42446754280cb30dfa9f8b42d3ff630f599f8eee4b92b07baa482dc1aeb7aeb5",
  },
  vector: ({ x, g, floats }) => ({ y: rmsNorm(x, floats(3100, 37)), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [4, 6] }, { shape: [6] }],
      apply: (x, weight) => rmsNorm(x, weight),
      textbook: (m, x, weight) =>
        rowsOf(x, 6).flatMap((row) => {
          const square = row.reduce((total, value) => total + value * value, 0) / 6;
          return row.map((value, j) => (value / m.sqrt(square + 1e-6)) * weight[j]);
        }),
    },
    {
      title: "of rows that are folded in lanes",
      operands: [{ shape: [2, 32] }, { shape: [32] }],
      apply: (x, weight) => rmsNorm(x, weight, 0.5),
      textbook: (m, x, weight) =>
        rowsOf(x, 32).flatMap((row) => {
          const square = row.reduce((total, value) => total + value * value, 0) / 32;
          return row.map((value, j) => (value / m.sqrt(square + 0.5)) * weight[j]);
        }),
    },
  ],
} satisfies Operator["check"];
