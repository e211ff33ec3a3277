/** Norms of vectors, for elements of any magnitude. */
import { describe, isPlainObject } from "../../errors/arguments.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { type Reduction, reduction } from "../reduction.ts";
import { scaledRows } from "../scaled-rows.ts";
import { expectFloat, settingOf, type Value } from "../value.ts";
import { amax } from "./extremes.ts";

const SQUARE = defineProgram("f", (x) => x.mul(x));
const ABS = defineProgram("f", (x) => x.abs());
/** The gradient of |x|, which is 0 at 0. */
const ABS_GRADIENT = defineProgram("ff", (gradient, x) => x.eq(0).select(0, x.lt(0).select(gradient.neg(), gradient)));
const ROOT = defineProgram("ff", (total, top) => total.sqrt().ldexp(top.exponent()));
const TOTAL = defineProgram("ff", (total, top) => total.ldexp(top.exponent()));
/** x over the length of its row, both scaled alike; 0 in a row of zeros. */
const DIRECTION = defineProgram("fff", (gradient, scaled, total) => scaled.div(total.sqrt()).mul(gradient));
const SIGN = defineProgram("fff", (gradient, scaled, total) =>
  scaled.eq(0).or(total.eq(0)).select(0, scaled.lt(0).select(gradient.neg(), gradient)),
);

/** The options of a norm. */
export interface NormOptions extends Reduction {
  /** 1: Σ |x|. 2: the square root of Σ x². Infinity: the greatest |x|. 2 by default. */
  readonly order?: 1 | 2 | typeof Infinity;
}

/**
 * The length of vectors: f32 [...] → [...]. Elements are scaled by a power of two, so that the greatest
 * magnitude of a vector is in [1, 2), before they are squared and added; so a norm of 1e20 or 1e-30 is as
 * exact as one of 1. The gradient of a vector of zeros is 0.
 * @param axes those of a vector, which are removed, counted from the end where negative; default all axes
 * @param options the label of the operator, "vector-norm"; or `{ order, keepdim, name }`, with an order of 2
 *   by default
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, or the list is empty
 * @throws {GraphError} for another order
 */
export function vectorNorm(x: Value, axes?: readonly number[], options?: string | NormOptions): Value {
  const { order = 2, ...rest } = isPlainObject(options) ? (options as NormOptions) : {};
  const reduced = reduction(x, axes, isPlainObject(options) ? rest : options, "vector-norm");
  const { name, count, finish } = reduced;
  expectFloat(x, name);
  if (order !== 1 && order !== 2 && order !== Infinity)
    throw settingOf(x.builder.label(name))(`the order is ${describe(order)}; take 1, 2 or Infinity`, { found: order });
  if (order === Infinity && count > 0) return finish(amax(magnitudes(x, name), reduced.axes, name));
  const { scaled, top, spread, sum } = scaledRows(x, reduced);
  const terms = map(order === 2 ? SQUARE : ABS, [scaled], { name: `${name}-terms`, shape: x.shape });
  const total = sum(terms, "sum");
  const y = map(order === 2 ? ROOT : TOTAL, [total, top], { name, shape: total.shape });
  return finish(
    y.withOrigin([x], (gradient) => {
      const operands = [spread(gradient), scaled, spread(total)];
      return [map(order === 2 ? DIRECTION : SIGN, operands, { name: `${name}-gradient`, shape: x.shape })];
    }),
  );
}

function magnitudes(x: Value, name: string): Value {
  const { shape } = x;
  return map(ABS, [x], { name: `${name}-magnitudes`, shape }).withOrigin([x], (gradient) => [
    map(ABS_GRADIENT, [gradient, x], { name: `${name}-gradient`, shape }),
  ]);
}

vectorNorm.check = {
  number: 189,
  name: "vector norm",
  digests: {
    result: "0xadffdbd64f299e1a1b2ee103a9c0f4f1c3eba133614687338aad3bd7c4494160",
    "gradient 0": "0x54c4da8a385d45f90f1791e74b178857e103c62df15887840f7a4b534ab0e0c2",
  },
  vector: ({ x, floats }) => ({ y: vectorNorm(x, [1]), gradient: floats(3145, 13) }),
  gradient: [
    {
      operands: [{ shape: [3, 5] }],
      apply: (x) => vectorNorm(x, [1]),
      textbook: (m, x) => rowsOf(x, 5).map((row) => m.sqrt(row.reduce((sum, value) => sum + value * value, 0))),
    },
    {
      title: "of magnitudes whose squares saturate",
      operands: [{ shape: [4], from: 1e20, to: 3e20 }],
      apply: (x) => vectorNorm(x),
      textbook: (m, x) => [m.sqrt(x.reduce((sum, value) => sum + value * value, 0))],
    },
    {
      title: "of order 1",
      operands: [{ shape: [2, 3] }],
      apply: (x) => vectorNorm(x, [0], { order: 1 }),
      textbook: (m, x) => [0, 1, 2].map((j) => m.abs(x[j]) + m.abs(x[j + 3])),
    },
    {
      title: "of order Infinity",
      operands: [{ shape: [2, 3] }],
      apply: (x) => vectorNorm(x, [1], { order: Infinity, keepdim: true }),
      textbook: (m, x) => rowsOf(x, 3).map((row) => m.max(...row.map(m.abs))),
    },
  ],
} satisfies Operator["check"];
