/** Norms over the channels and positions of an example. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { DOT_STEP } from "../../repops/kernels/kernel.ts";
import { floatSetting, NOT_NEGATIVE, wholeSetting } from "../../repops/numbers/settings.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { fold, map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { reduceLast } from "../rows.ts";
import { PRODUCT, type Standard, standardise } from "../standardise.ts";
import { builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo, sum } from "./sum.ts";

const AFFINE = defineProgram("fff", (normal, weight, bias) => normal.mul(weight).add(bias));
const SUM = defineProgram("ff", (normal, bias) => normal.add(bias));

/**
 * Checks the operands of a norm over channels.
 * @returns x as [examples, channels, positions]
 * @throws {ShapeError} when x has no channels, or an operand does not have one element for each
 */
export function channelsOf(
  x: Value,
  parameters: Readonly<Record<string, Value | undefined>>,
  epsilon: number,
  name: string,
): Value {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined) as [string, Value][];
  const builder = builderOf(name, { x, ...Object.fromEntries(given) });
  for (const operand of [x, ...given.map(([, value]) => value)]) expectFloat(operand, name);
  floatSetting("epsilon", epsilon, NOT_NEGATIVE, settingOf(builder.label(name)));
  if (x.rank < 2) throw shapeError("OPERANDS", builder, name, `takes [examples, channels, ...], not ${x}; reshape it`);
  const [examples, channels, ...positions] = x.shape;
  const wrong = given.find(([, { shape }]) => shape.join() !== `${channels}`);
  if (wrong)
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `${wrong[0]} ${wrong[1]} does not fit ${x}; give one element for each of its ${channels} channels`,
    );
  if (channels * elementCount(positions) === 0)
    throw shapeError("OPERANDS", builder, name, `examples of no elements, of ${x}, have no mean`);
  return reshape(x, [examples, channels, elementCount(positions)]);
}

/**
 * normal · weight + bias in the shape of x, with the gradients of x, weight and bias.
 * @param x the operand of the norm
 * @param standard f32 [examples, channels, positions], and its gradient
 * @param weight f32 [channels]; absent: 1
 * @param bias f32 [channels]; absent: 0
 */
export function perChannel(
  x: Value,
  { normal, backward }: Standard,
  weight: Value | undefined,
  bias: Value | undefined,
  name: string,
): Value {
  const { shape } = normal;
  const over = (value: Value): Value => broadcastTo(reshape(value, [1, shape[1], 1]), shape);
  const parameters = [weight, bias].filter((value) => value !== undefined);
  const program = weight ? (bias ? AFFINE : PRODUCT) : SUM;
  const y = parameters.length > 0 ? map(program, [normal, ...parameters.map(over)], { name, shape }) : normal;
  return reshape(y, x.shape).withOrigin([x, ...parameters], (gradient) => {
    const g = reshape(gradient, shape);
    const inner = weight ? map(PRODUCT, [g, over(weight)], { name: `${name}-gradient`, shape }) : g;
    return [
      reshape(backward(inner), x.shape),
      ...(weight ? [dotChannels(g, normal, `${name}-weight-gradient`)] : []),
      ...(bias ? [sum(g, [0, 2], `${name}-bias-gradient`)] : []),
    ];
  });
}

/** Σ a·b over examples and positions: f32 [examples, channels, positions] twice → [channels]. */
function dotChannels(a: Value, b: Value, name: string): Value {
  const [x, y] = [a, b].map((value) => reduceLast(value, [0, 2]));
  const { shape, reduce } = x;
  return fold(DOT_STEP, [x.value, y.value], { name, shape, reduce, start: 0, clampRange: "dot" });
}

/**
 * Layer norm over groups of channels and all positions: f32 [examples, channels, ...] → the same. Group i of
 * an example has the channels i · channels/groups and on.
 * @param groups a divisor of the number of channels; 1 normalises whole examples
 * @param weight f32 [channels]; absent: 1
 * @param bias f32 [channels]; absent: 0
 * @param epsilon 1e-5
 * @param name the label of the operator; "group-norm"
 * @throws {ShapeError} when x has no channels, or weight or bias does not have one element for each
 * @throws {GraphError} when the groups do not divide the channels, the operands belong to two graphs, or
 *   epsilon is negative or not a vf32
 */
export function groupNorm(
  x: Value,
  groups: number,
  weight?: Value,
  bias?: Value,
  epsilon = 1e-5,
  name = "group-norm",
): Value {
  const parts = channelsOf(x, { weight, bias }, epsilon, name);
  const [examples, channels] = parts.shape;
  const refuse = settingOf(x.builder.label(name));
  wholeSetting("the number of groups", groups, {}, refuse);
  if (channels % groups !== 0)
    throw refuse(`${channels} channels can't be split into ${groups} groups; take a divisor of the channels`);
  const rows = reshape(parts, [examples * groups, -1]);
  const { normal, backward } = standardise(rows, epsilon, name);
  const standard: Standard = {
    normal: reshape(normal, parts.shape),
    backward: (gradient) => reshape(backward(reshape(gradient, rows.shape)), parts.shape),
  };
  return perChannel(x, standard, weight, bias, name);
}

/**
 * Layer norm over the positions of each channel of each example: f32 [examples, channels, ...] → the same.
 * PyTorch's `instance_norm` without running statistics.
 * @param weight f32 [channels]; absent: 1
 * @param bias f32 [channels]; absent: 0
 * @param epsilon 1e-5
 * @param name the label of the operator; "instance-norm"
 * @throws as `groupNorm` does
 */
export function instanceNorm(x: Value, weight?: Value, bias?: Value, epsilon = 1e-5, name = "instance-norm"): Value {
  return groupNorm(x, channelsOf(x, {}, epsilon, name).shape[1], weight, bias, epsilon, name);
}

/** Group norm by the textbook, of [examples, channels, positions] with groups of n elements. */
function textbook(m: Textbook, x: number[], n: number): number[] {
  return rowsOf(x, n).flatMap((row) => {
    const average = row.reduce((a, b) => a + b) / n;
    const variance = row.reduce((total, value) => total + (value - average) * (value - average), 0) / n;
    return row.map((value) => (value - average) / m.sqrt(variance + 1e-5));
  });
}

groupNorm.check = {
  number: 101,
  name: "group norm",
  digests: {
    result: "0x82e0ef1b2b675c797490f3a501df7fd4a257731fecfbe867adc3521f91cf191d",
    "gradient 0": "0x149d535a4f6073f1ba3b6a4a213df8ac1c7b23ecc2aecb3210ee9e80720086e1",
    "gradient 1": "0x7955f3213696c6ee7506e1cd5c08a5741e47a780b3f79693fc381b79169bd317",
    "gradient 2": "0x9faaeacf87e60ed2ee9061ccaab93b99cbe4747de1c797f492ac739f78ef5371",
  },
  vector: ({ floats }) => ({
    y: groupNorm(floats(3101, 3, 6, 5, 7), 3, floats(3102, 6), floats(3103, 6)),
    gradient: floats(3104, 3, 6, 5, 7),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 4, 3] }, { shape: [4] }, { shape: [4] }],
      apply: (x, weight, bias) => groupNorm(x, 2, weight, bias),
      textbook: (m, x, weight, bias) =>
        textbook(m, x, 6).map((value, i) => value * weight[Math.floor(i / 3) % 4] + bias[Math.floor(i / 3) % 4]),
    },
  ],
} satisfies Operator["check"];

instanceNorm.check = {
  number: 102,
  name: "instance norm",
  digests: {
    result: "0xadb4caafadefa3b052781fc7d6393392a4f172d73e7f4eee0fea1a21c9b830fb",
    "gradient 0": "0xceb513dcd1a7f2de61c0a821d192c00a275e3f5cce1a3a22a0f0b1468163c3c5",
  },
  vector: ({ floats }) => ({ y: instanceNorm(floats(3105, 3, 4, 5, 7)), gradient: floats(3106, 3, 4, 5, 7) }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 5] }],
      apply: (x) => instanceNorm(x),
      textbook: (m, x) => textbook(m, x, 5),
    },
  ],
} satisfies Operator["check"];
