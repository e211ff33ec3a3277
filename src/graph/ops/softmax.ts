/** Softmax over rows. */
import { exp } from "../../repops/functions/exponential.ts";
import { defineProgram, type Float } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { dotRows, sumRows } from "../rows.ts";
import { expectFloat, shapeError, type Value } from "../value.ts";
import { maxRows } from "./max-rows.ts";
import { perRow } from "./sum.ts";

/** exp(x - max), and exactly 0 below e^-80, so that masked elements have exactly no weight. */
const shiftedExp = (x: Float, max: Float): Float => {
  const shifted = x.sub(max);
  return shifted.lt(-80).select(0, exp(shifted));
};
const SHIFTED_EXP = defineProgram("ff", shiftedExp);
const DIVIDE = defineProgram("ff", (x, y) => x.div(y));
const SOFTMAX_GRADIENT = defineProgram("fff", (y, gradient, dot) => y.mul(gradient.sub(dot)));

/** The greatest element of each row, exp(x - max) for each element, and the sum of these powers. */
export function softmaxParts(x: Value, name: string): { max: Value; powers: Value; total: Value } {
  const max = maxRows(x, `${name}-max`);
  const powers = map(SHIFTED_EXP, [x, perRow(max, x)], { name: `${name}-exp`, shape: x.shape });
  return { max, powers, total: sumRows(powers, `${name}-sum`) };
}

/**
 * exp(x - max) / Σ exp(x - max) over the last axis: f32 [..., n] → [..., n]. Exactly 0 below e^-80 of the
 * row's greatest term.
 * @param name the label of the operator; "softmax"
 * @throws {ShapeError} when x is a scalar or not f32
 */
export function softmax(x: Value, name = "softmax"): Value {
  expectFloat(x, name);
  if (x.rank === 0) throw shapeError("AXIS", x.builder, name, `takes rows, not the scalar ${x}; give it an axis`);
  const { powers, total } = softmaxParts(x, name);
  const y = map(DIVIDE, [powers, perRow(total, x)], { name, shape: x.shape });
  return y.withOrigin([x], (gradient) => {
    const dot = perRow(dotRows(y, gradient, `${name}-gradient-dot`), x);
    return [map(SOFTMAX_GRADIENT, [y, gradient, dot], { name: `${name}-gradient`, shape: x.shape })];
  });
}

/** One row by the textbook's formula. */
export function softmaxRow(m: Textbook, row: readonly number[]): number[] {
  const top = m.max(...row);
  const powers = row.map((x) => m.exp(x - top));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((x) => x / total);
}

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
  ],
} satisfies Operator["check"];
