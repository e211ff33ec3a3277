/** Softmax, its logarithm, and the logarithm of a sum of powers. */
import { exp } from "../../repops/functions/exponential.ts";
import { log } from "../../repops/functions/logarithm.ts";
import { defineProgram, type Float } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { dotRows, sumRows } from "../rows.ts";
import { axisOf, expectFloat, shapeError, type Value } from "../value.ts";
import { maxRows } from "./max-rows.ts";
import { perRow } from "./sum.ts";
import { transpose } from "./transpose.ts";

/** exp(x - max), and exactly 0 below e^-80, so that masked elements have exactly no weight. */
const shiftedExp = (x: Float, max: Float): Float => {
  const shifted = x.sub(max);
  return shifted.lt(-80).select(0, exp(shifted));
};
const SHIFTED_EXP = defineProgram("ff", shiftedExp);
const DIVIDE = defineProgram("ff", (x, y) => x.div(y));
const SOFTMAX_GRADIENT = defineProgram("fff", (y, gradient, dot) => y.mul(gradient.sub(dot)));
const LOG_SOFTMAX = defineProgram("fff", (x, max, total) => x.sub(max).sub(log(total)));
const LOG_SOFTMAX_GRADIENT = defineProgram("ffff", (gradient, power, total, sum) =>
  gradient.sub(power.div(total).mul(sum)),
);
const LOG_SUM_EXP = defineProgram("ff", (max, total) => max.add(log(total)));
const LOG_SUM_EXP_GRADIENT = defineProgram("fff", (gradient, power, total) => gradient.mul(power.div(total)));

/** The greatest element of each row, exp(x - max) for each element, and the sum of these powers. */
export function softmaxParts(x: Value, name: string): { max: Value; powers: Value; total: Value } {
  const max = maxRows(x, `${name}-max`);
  const powers = map(SHIFTED_EXP, [x, perRow(max, x)], { name: `${name}-exp`, shape: x.shape });
  return { max, powers, total: sumRows(powers, `${name}-sum`) };
}

/** x with an axis moved to the end, and the way back. */
function axisLast(x: Value, axis: number, name: string) {
  expectFloat(x, name);
  if (x.rank === 0) throw shapeError("AXIS", x.builder, name, `takes rows, not the scalar ${x}; give it an axis`);
  const at = axisOf(x, axis, name);
  const kept = [...x.shape.keys()].filter((i) => i !== at);
  const order = [...kept, at];
  const turn = (value: Value): Value => (at === x.rank - 1 ? value : transpose(value, order));
  const inverse = order.map((_, i) => order.indexOf(i));
  return { rows: turn(x), turn, back: (value: Value) => (at === x.rank - 1 ? value : transpose(value, inverse)) };
}

/**
 * exp(x - max) / Σ exp(x - max) over an axis: f32 [...] → [...]. Exactly 0 below e^-80 of the greatest term.
 * Elements that are all equal, also those of -2^127, have equal shares.
 * @param axis counted from the end where negative; the last
 * @param name the label of the operator; "softmax"
 * @throws {ShapeError} when x is a scalar or not f32, or the axis does not exist
 */
export function softmax(x: Value, axis = -1, name = "softmax"): Value {
  const { rows, turn, back } = axisLast(x, axis, name);
  const { shape } = rows;
  const { powers, total } = softmaxParts(rows, name);
  const y = map(DIVIDE, [powers, perRow(total, rows)], { name, shape });
  return back(y).withOrigin([x], (gradient) => {
    const g = turn(gradient);
    const dot = perRow(dotRows(y, g, `${name}-gradient-dot`), rows);
    return [back(map(SOFTMAX_GRADIENT, [y, g, dot], { name: `${name}-gradient`, shape }))];
  });
}

/**
 * x - max - log(Σ exp(x - max)) over an axis, the logarithm of softmax: f32 [...] → [...].
 * @param axis counted from the end where negative; the last
 * @param name the label of the operator; "log-softmax"
 * @throws {ShapeError} when x is a scalar or not f32, or the axis does not exist
 */
export function logSoftmax(x: Value, axis = -1, name = "log-softmax"): Value {
  const { rows, turn, back } = axisLast(x, axis, name);
  const { shape } = rows;
  const { max, powers, total } = softmaxParts(rows, name);
  const y = map(LOG_SOFTMAX, [rows, perRow(max, rows), perRow(total, rows)], { name, shape });
  return back(y).withOrigin([x], (gradient) => {
    const g = turn(gradient);
    const sum = perRow(sumRows(g, `${name}-gradient-sum`), rows);
    const operands = [g, powers, perRow(total, rows), sum];
    return [back(map(LOG_SOFTMAX_GRADIENT, operands, { name: `${name}-gradient`, shape }))];
  });
}

/**
 * log(Σ exp(x)) over an axis, which is removed: f32 [..., n, ...] → [..., ...]. It does not overflow.
 * @param axis counted from the end where negative; the last
 * @param name the label of the operator; "log-sum-exp"
 * @throws {ShapeError} when x is a scalar or not f32, or the axis does not exist
 */
export function logSumExp(x: Value, axis = -1, name = "log-sum-exp"): Value {
  const { rows, back } = axisLast(x, axis, name);
  const { max, powers, total } = softmaxParts(rows, name);
  const y = map(LOG_SUM_EXP, [max, total], { name, shape: max.shape });
  return y.withOrigin([x], (gradient) => {
    const operands = [perRow(gradient, rows), powers, perRow(total, rows)];
    return [back(map(LOG_SUM_EXP_GRADIENT, operands, { name: `${name}-gradient`, shape: rows.shape }))];
  });
}

/** One row by the textbook's formula. */
export function softmaxRow(m: Textbook, row: readonly number[]): number[] {
  const top = m.max(...row);
  const powers = row.map((x) => m.exp(x - top));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / total);
}

/** Column j of a row-major array with n columns. */
const column = (x: readonly number[], n: number, j: number): number[] => x.filter((_, i) => i % n === j);

softmax.check = {
  number: 22,
  name: "softmax",
  digests: {
    result: "0x46955bee04518840f19ae977a7159ce9ec056129df5bc54f340571cb8f638994",
    "gradient 0": "0x37a268dacd1382b4389b393bf9ecb55e988172ace0dc029a23c7c98adc43ab8a",
  },
  vector: ({ x, g }) => ({ y: softmax(x), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -3, to: 3 }],
      apply: (x) => softmax(x),
      textbook: (m, x) => rowsOf(x, 5).flatMap((row) => softmaxRow(m, row)),
    },
    {
      title: "of rows that are folded in lanes",
      operands: [{ shape: [2, 32], from: -3, to: 3 }],
      apply: (x) => softmax(x),
      textbook: (m, x) => rowsOf(x, 32).flatMap((row) => softmaxRow(m, row)),
    },
    {
      title: "over the first axis",
      operands: [{ shape: [4, 3], from: -3, to: 3 }],
      apply: (x) => softmax(x, 0),
      textbook: (m, x) => {
        const columns = [0, 1, 2].map((j) => softmaxRow(m, column(x, 3, j)));
        return x.map((_, i) => columns[i % 3][Math.floor(i / 3)]);
      },
    },
  ],
} satisfies Operator["check"];

logSoftmax.check = {
  number: 105,
  name: "log-softmax",
  digests: {
    result: "0x1f02888a89fbd86a47d34b3549514eb9dae848aa0ea07ca38d8789660aa04e7c",
    "gradient 0": "0x3f6705bc2d1038a21ee99b07455333223ff3a8c27314a4370bf04a4115b9697d",
  },
  vector: ({ x, g }) => ({ y: logSoftmax(x), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -3, to: 3 }],
      apply: (x) => logSoftmax(x),
      textbook: (m, x) => rowsOf(x, 5).flatMap((row) => softmaxRow(m, row).map(m.log)),
    },
  ],
} satisfies Operator["check"];

logSumExp.check = {
  number: 106,
  name: "log-sum-exp",
  digests: {
    result: "0x82ecf513a0541fbd23ef68dd16cc6f3c2b031ca104fff34c6037234c95e83bfc",
    "gradient 0": "0x5c192a6e3ff7d07bce0904b681dfb049817105565187e39356bf23b62a37ea60",
  },
  vector: ({ x, floats }) => ({ y: logSumExp(x, 0), gradient: floats(3112, 37) }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -3, to: 3 }],
      apply: (x) => logSumExp(x),
      textbook: (m, x) => rowsOf(x, 5).map((row) => m.log(row.reduce((total, value) => total + m.exp(value), 0))),
    },
  ],
} satisfies Operator["check"];
