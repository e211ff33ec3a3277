/** Vectors of length 1, their similarity, and the contrastive loss. */
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { floatSetting, POSITIVE } from "../../repops/numbers/settings.ts";
import { checkOptions, describe } from "../../errors/arguments.ts";
import { composed } from "../autodiff.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { powersOf, PRODUCT, totalRows } from "../standardise.ts";
import { dotRows } from "../rows.ts";
import { axisOf, builderOf, expectFloat, settingOf, shapeError, Value } from "../value.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { div } from "./div.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { reshape } from "./reshape.ts";
import { perRow, sum } from "./sum.ts";
import { transpose } from "./transpose.ts";

const QUOTIENT = defineProgram("ff", (x, norm) => x.div(norm));
const GRADIENT = defineProgram("fffff", (g, y, dot, norm, power) => g.sub(y.mul(dot)).mul(power).div(norm));

/**
 * x / max(‖x‖, epsilon) over an axis: f32 [...] → [...], for vectors of any magnitude.
 * @param axis counted from the end where negative; the last. PyTorch's default is 1
 * @param epsilon 1e-12, above 0
 * @param name the label of the operator; "normalize"
 * @throws {ShapeError} when x is not f32, or the axis does not exist
 * @throws {GraphError} when epsilon is not above 0
 */
export function normalize(x: Value, axis = -1, epsilon = 1e-12, name = "normalize"): Value {
  expectFloat(x, name);
  floatSetting("epsilon", epsilon, POSITIVE, settingOf(x.builder.label(name)));
  const at = axisOf(x, axis, name);
  const order = [...[...x.shape.keys()].filter((i) => i !== at), at];
  const turned = transpose(x, order);
  const rows = reshape(turned, [-1, x.shape[at]]);
  const back = (value: Value): Value =>
    transpose(
      reshape(value, turned.shape),
      order.map((_, i) => order.indexOf(i)),
    );
  const { shape } = rows;
  // The rows in units of a power of two, in which no square leaves the range of a dot.
  const power = powersOf(rows, epsilon * epsilon, name);
  const scaled = map(PRODUCT, [rows, perRow(power, rows)], { name: `${name}-scaled`, shape });
  const normOf = defineProgram("ff", (squares, unit) => squares.sqrt().max(float(epsilon).mul(unit)));
  const squares = totalRows([scaled, scaled], `${name}-squares`);
  const norm = map(normOf, [squares, power], { name: `${name}-norm`, shape: power.shape });
  const y = map(QUOTIENT, [scaled, perRow(norm, rows)], { name, shape });
  return back(y).withOrigin([x], (gradient) => {
    const g = reshape(transpose(gradient, order), shape);
    const dot = dotRows(y, g, `${name}-gradient-dot`);
    // A norm below epsilon is a constant.
    const dotOf = defineProgram("fff", (product, length, unit) =>
      length.gt(float(epsilon).mul(unit)).select(product, 0),
    );
    const inner = map(dotOf, [dot, norm, power], { name: `${name}-gradient-inner`, shape: dot.shape });
    const operands = [g, y, ...[inner, norm, power].map((value) => perRow(value, rows))];
    return [back(map(GRADIENT, operands, { name: `${name}-gradient`, shape }))];
  });
}

/**
 * a·b / (max(‖a‖, epsilon) · max(‖b‖, epsilon)) over an axis, which is removed: f32 [...] twice → f32.
 * @param axis counted from the end where negative; the last. PyTorch's default is 1
 * @param epsilon 1e-8, above 0
 * @param name the label of the operator; "cosine-similarity"
 * @throws {ShapeError} when the operands differ in shape, one is not f32, or the axis does not exist
 * @throws {GraphError} when they belong to two graphs, or epsilon is not above 0
 */
export function cosineSimilarity(a: Value, b: Value, axis = -1, epsilon = 1e-8, name = "cosine-similarity"): Value {
  const builder = builderOf(name, { a, b });
  if (a.shape.join() !== b.shape.join())
    throw shapeError("OPERANDS", builder, name, `${a} and ${b} differ in shape; reshape or broadcast one of them`);
  const [x, y] = [a, b].map((value) => normalize(value, axis, epsilon, `${name}-normal`));
  return composed(sum(mul(x, y), [axis], name), [a, b]);
}

/** The options of `contrastiveLoss`. */
export interface ContrastiveOptions {
  /** What similarities are divided by: a number above 0, or a trained f32 scalar; 0.07. */
  temperature?: number | Value;
  /** Whether b's rows choose among a's, too, and the two losses are averaged (CLIP); true. Else InfoNCE. */
  symmetric?: boolean;
}

/**
 * The contrastive loss of pairs: row i of a belongs to row i of b, and the other rows of the batch are its
 * negatives. It is the cross-entropy of the cosine similarities, divided by a temperature: f32 [n, dim] twice
 * → an f32 scalar.
 *
 *     const loss = contrastiveLoss(images, texts, { temperature: 0.07 });
 *
 * @param options `temperature`, 0.07; `symmetric`, true: the mean of both directions, as CLIP has it; false:
 *   rows of a choose among those of b, InfoNCE
 * @param name the label of the operator; "contrastive"
 * @throws {ShapeError} when the operands are not f32 matrices of one shape
 * @throws {GraphError} when they belong to two graphs, or an option is unknown or out of its range
 */
export function contrastiveLoss(a: Value, b: Value, options: ContrastiveOptions = {}, name = "contrastive"): Value {
  const builder = builderOf(name, { a, b });
  const refuse = settingOf(builder.label(name));
  checkOptions(options, ["temperature", "symmetric"], refuse);
  const { temperature = 0.07, symmetric = true } = options;
  if (typeof symmetric !== "boolean") throw refuse(`symmetric is ${describe(symmetric)}; take true or false`);
  if (a.rank !== 2 || a.shape.join() !== b.shape.join())
    throw shapeError("OPERANDS", builder, name, `takes two matrices of one shape, not ${a} and ${b}`);
  const trained = temperature instanceof Value ? temperature : undefined;
  if (!trained) floatSetting("temperature", temperature, POSITIVE, refuse);
  else if (trained.rank !== 0) throw shapeError("OPERANDS", builder, name, `the temperature ${trained} is no scalar`);
  const [x, y] = [a, b].map((value) => normalize(value, -1, 1e-12, `${name}-normal`));
  const logits = div(matmul(x, transpose(y), `${name}-similarity`), temperature);
  const own = map(ROW, [{ coordinate: 0 }], { name: `${name}-pairs`, shape: [a.shape[0]], builder });
  const forth = crossEntropy(logits, own, {}, `${name}-rows`);
  const operands = [a, b, ...(trained ? [trained] : [])];
  if (!symmetric) return composed(forth, operands);
  return composed(mul(add(forth, crossEntropy(transpose(logits), own, {}, `${name}-columns`)), 0.5), operands);
}

const ROW = defineProgram("i", (row) => row);

/** Rows of length 1, by the textbook. */
const unit = (m: Textbook, x: readonly number[], n: number): number[] =>
  rowsOf(x, n).flatMap((row) => {
    const norm = m.sqrt(row.reduce((total, value) => total + value * value, 0));
    return row.map((value) => value / norm);
  });

/** The mean over rows of -log softmax at the diagonal. */
const diagonalLoss = (m: Textbook, logits: readonly (readonly number[])[]): number =>
  logits.reduce((total, row, i) => total + m.log(row.reduce((sum, value) => sum + m.exp(value), 0)) - row[i], 0) /
  logits.length;

normalize.check = {
  number: 114,
  name: "normalize",
  digests: {
    result: "0xd29589bfde063fcf0da3dbb550050fa80f958b8dc6ebc1bdf0b7eb3787519b0b",
    "gradient 0": "0xc29765dbf651b9c55db4bb5a322285b1970ae693dcab546c135799cf59e7649c",
  },
  vector: ({ x, g }) => ({ y: normalize(x), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 5] }],
      apply: (x) => normalize(x),
      textbook: (m, x) => unit(m, x, 5),
    },
  ],
} satisfies Operator["check"];

cosineSimilarity.check = {
  number: 115,
  name: "cosine similarity",
  digests: {
    result: "0xc7738f7bdf27e776ece1cf9ef6c78c67f7dba328ddbe80c017021dd039e1063b",
    "gradient 0": "0x199097aa00884b2d278ee5c113ab5cd13b273f2aab357e135a578de2703a39f4",
    "gradient 1": "0xefca17ccd55f4c2f787c534f415207dd4eb6f67c7682519985b9cfa2debc7bf9",
  },
  vector: ({ x, g, floats }) => ({ y: cosineSimilarity(x, g, 0), gradient: floats(3120, 37) }),
  gradient: [
    {
      operands: [{ shape: [3, 5] }, { shape: [3, 5] }],
      apply: (a, b) => cosineSimilarity(a, b),
      textbook: (m, a, b) => {
        const [x, y] = [a, b].map((value) => rowsOf(unit(m, value, 5), 5));
        return x.map((row, i) => row.reduce((total, value, j) => total + value * y[i][j], 0));
      },
    },
  ],
} satisfies Operator["check"];

contrastiveLoss.check = {
  number: 116,
  name: "contrastive loss",
  digests: {
    result: "0x52c581d84e74fcfedb81efb8d27794bf8ef9d9bfab0c7b427728ca1a38fed6bf",
    "gradient 0": "0xc2ce5df2af99b59e9ad9cd2d097a2942b24a124fd3f02da06c0128d45cd4dcd6",
    "gradient 1": "0xd12381acba04a08f358f95a19b2a928f0e78dddd80a2e95a700a88ca50cddb0f",
  },
  vector: ({ x, g, floats }) => ({ y: contrastiveLoss(x, g), gradient: floats(3121) }),
  gradient: [
    {
      operands: [{ shape: [4, 6] }, { shape: [4, 6] }],
      apply: (a, b) => contrastiveLoss(a, b, { temperature: 0.5 }),
      textbook: (m, a, b) => {
        const [x, y] = [a, b].map((value) => rowsOf(unit(m, value, 6), 6));
        const dot = (r: readonly number[], s: readonly number[]): number =>
          r.reduce((t, v, i) => t + v * s[i], 0) / 0.5;
        const [forth, back] = [
          [x, y],
          [y, x],
        ].map(([rows, others]) => rows.map((row) => others.map((other) => dot(row, other))));
        return [(diagonalLoss(m, forth) + diagonalLoss(m, back)) / 2];
      },
    },
    {
      title: "with a trained temperature, in one direction",
      operands: [{ shape: [3, 4] }, { shape: [3, 4] }, { shape: [], from: 0.4, to: 0.6 }],
      apply: (a, b, temperature) => contrastiveLoss(a, b, { temperature, symmetric: false }),
      textbook: (m, a, b, [temperature]) => {
        const [x, y] = [a, b].map((value) => rowsOf(unit(m, value, 4), 4));
        const logits = x.map((row) => y.map((o) => row.reduce((t, v, i) => t + v * o[i], 0) / temperature));
        return [diagonalLoss(m, logits)];
      },
    },
  ],
} satisfies Operator["check"];
