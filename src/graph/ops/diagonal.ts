/** Diagonals of matrices, and matrices of diagonals: each is the other's gradient. */
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { type Bounded, map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { axisOf, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { viewOf } from "../view.ts";
import { transpose } from "./transpose.ts";

const MOST = 2 ** 30;
const offsetOf = (x: Value, offset: number, name: string): number =>
  wholeSetting("the offset", offset, { least: -MOST, most: MOST }, settingOf(x.builder.label(name)));

/**
 * A diagonal of two axes, which are removed; it becomes the last axis: [n, m] → [min(n, m)] for an offset of
 * 0. The result is a view.
 * @param offset which diagonal: 0 the main one, positive ones above it
 * @param a the axis of rows, counted from the end where negative; 0
 * @param b the axis of columns, counted alike; 1
 * @throws {ShapeError} when an axis does not exist, or both are the same one
 * @throws {GraphError} when the offset is not whole
 */
export function diagonal(x: Value, offset = 0, a = 0, b = 1): Value {
  const name = "diagonal";
  expectValue(x, name, "x");
  const [row, column] = [axisOf(x, a, name), axisOf(x, b, name)];
  if (row === column)
    throw shapeError("AXIS", x.builder, name, `axes ${a} and ${b} of ${x} are the same one; name two axes`);
  const shift = offsetOf(x, offset, name);
  const [rows, columns] = [x.shape[row], x.shape[column]];
  const length = Math.max(0, Math.min(rows + Math.min(0, shift), columns - Math.max(0, shift)));
  const others = [...x.shape.keys()].filter((axis) => axis !== row && axis !== column);
  const shape = [...others.map((axis) => x.shape[axis]), length];
  const strides = [...others.map((axis) => x.strides[axis]), x.strides[row] + x.strides[column]];
  const start = Math.max(0, -shift) * x.strides[row] + Math.max(0, shift) * x.strides[column];
  const order = [...others, row, column];
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return viewOf(x, shape, strides, shape.includes(0) ? 0 : x.offset + start, (gradient) =>
    transpose(embed(gradient, shift, rows, columns, `${name}-gradient`), inverse),
  );
}

/**
 * Matrices with x on a diagonal, and 0 elsewhere: f32 or i32 [..., n] → [..., n + |offset|, n + |offset|].
 * @param offset which diagonal: 0 the main one, positive ones above it
 * @param name the label of the operator; "diag-embed"
 * @throws {ShapeError} when x is a scalar, {GraphError} when the offset is not whole
 */
export function diagEmbed(x: Value, offset = 0, name = "diag-embed"): Value {
  expectValue(x, name, "x");
  if (x.rank === 0) throw shapeError("AXIS", x.builder, name, `takes rows, not the scalar ${x}; give it an axis`);
  const shift = offsetOf(x, offset, name);
  const size = x.shape[x.rank - 1] + Math.abs(shift);
  return embed(x, shift, size, size, name).withOrigin([x], (gradient) => [
    diagonal(gradient, shift, x.rank - 1, x.rank),
  ]);
}

/**
 * [..., n] on a diagonal of [..., rows, columns]. Element i stands in row i, or in column i below the main
 * one.
 */
function embed(x: Value, shift: number, rows: number, columns: number, name: string): Value {
  const lead = x.shape.slice(0, -1);
  const [extent, stride] = [x.shape[x.rank - 1], x.strides[x.rank - 1]];
  const shape = [...lead, rows, columns];
  const [row, column] = [{ coordinate: x.rank - 1 }, { coordinate: x.rank }];
  const whole = shape.map((size): [number, number] => [0, size]);
  const ends = whole.with(shift >= 0 ? x.rank - 1 : x.rank, [0, extent]);
  const strides = [...x.strides.slice(0, -1), ...(shift >= 0 ? [stride, 0] : [0, stride])];
  const operand: Bounded = { source: x, offset: x.offset, strides, bounds: ends, fill: 0 };
  const program =
    x.dtype === "f32"
      ? defineProgram("fii", (value, i, j) => i.add(shift).eq(j).select(value, 0))
      : defineProgram("iii", (value, i, j) => i.add(shift).eq(j).selectInt(value, 0));
  return map(program, [operand, row, column], { name, shape });
}

diagonal.check = {
  number: 174,
  name: "diagonal",
  digests: {
    result: "0x9b23ff77edaf5088544b6fa93f66faa0c1d3e51647b5d55183d719bc6f9da8bc",
    "gradient 0": "0xc7743a72f03bed30b27a9e3ebbd44e3482c8705810acb499c18d553844bf03ea",
  },
  vector: ({ x, floats }) => ({ y: diagonal(x, 3), gradient: floats(3124, 13) }),
  gradient: [
    {
      operands: [{ shape: [3, 4] }],
      apply: (x) => diagonal(x, -1),
      textbook: (_, x) => [x[4], x[9]],
    },
    {
      title: "of the outer axes",
      operands: [{ shape: [2, 2, 3] }],
      apply: (x) => diagonal(x, 1, 0, -1),
      textbook: (_, x) => [x[1], x[8], x[4], x[11]],
    },
  ],
} satisfies Operator["check"];

diagEmbed.check = {
  number: 175,
  name: "diagonal embed",
  digests: {
    result: "0x7c91b5699502681b3f85c7dcabc47b5cef7a08ce56dd21e8845319ea8fbfc152",
    "gradient 0": "0xfaf42bf765096d702f3f8c19b9381134d8e37dd8221b16d5105e85af8793b3d3",
  },
  vector: ({ x, floats }) => ({ y: diagEmbed(x, -2), gradient: floats(3125, 13, 39, 39) }),
  gradient: [
    {
      operands: [{ shape: [2] }],
      apply: (x) => diagEmbed(x, 1),
      textbook: (_, [a, b]) => [0, a, 0, 0, 0, b, 0, 0, 0],
    },
  ],
} satisfies Operator["check"];
