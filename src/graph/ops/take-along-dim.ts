/** Elements chosen by an index along an axis, and the gradient that adds them back in order. */
import { elementCount } from "../../encoding/tensor.ts";
import { asOne } from "../as-one.ts";
import { axisBack, rowsAlong } from "../axis-last.ts";
import { dense } from "../dense.ts";
import { SCATTER_STEP } from "../../repops/kernels/kernel.ts";
import { fold, gatherKernel, map } from "../emit.ts";
import { indices, type Operator } from "../operator.ts";
import { axisOf, builderOf, shapeError, type Value } from "../value.ts";
import { concat } from "./concat.ts";
import { addRows, FLAT_INDEX, gather } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { unsqueeze } from "./split.ts";
import { broadcastTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/** The most positions of one fold. */
const MOST_POSITIONS = 2 ** 22;

/** Row r's elements of source [r, n] at index [r, k]: [r, k]. An index outside of a row reads 0. */
function takeRows(source: Value, index: Value, name: string): Value {
  const [rows, n] = source.shape;
  const flat = map(FLAT_INDEX(n), [index, { coordinate: 0 }], { name: `${name}-index`, shape: index.shape });
  return gatherKernel(dense(reshape(source, [rows * n]), name), flat, 0, name);
}

/** Rows of up to this many positions are compared with every element. */
const FEW = 8;

/**
 * Row r's elements of x [r, k], each added to row r of zeros [r, n] at its index [r, k], in order. For a few
 * positions a row, one fold compares each element with those of its own row. For more it is a scatter-add of
 * all rows, which backends run in one step a position; its positions are limited, so many rows are several
 * folds. No bit depends on that: a position that does not match adds 0.
 */
export function addAlong(x: Value, index: Value, n: number, name: string): Value {
  const [rows, k] = index.shape;
  if (k <= FEW) {
    const [terms, at] = [x, index].map((value) => broadcastTo(unsqueeze(value, 1), [rows, n, k]));
    const options = { name, shape: [rows, n], reduce: [k], start: 0, clampRange: "sum" } as const;
    return fold(SCATTER_STEP, [at, { coordinate: 1 }, terms], options);
  }
  const most = Math.max(1, Math.floor(MOST_POSITIONS / k));
  const pieces: Value[] = [];
  for (let from = 0; from < rows || pieces.length === 0; from += most) {
    const to = Math.min(rows, from + most);
    const shape = [to - from, k];
    const own = slice(index, 0, from, to);
    const flat = map(FLAT_INDEX(n), [own, { coordinate: 0 }], { name: `${name}-index`, shape });
    const values = reshape(slice(x, 0, from, to), [elementCount(shape)]);
    const sums = addRows(values, reshape(flat, [elementCount(shape)]), [(to - from) * n], name);
    pieces.push(reshape(sums, [to - from, n]));
  }
  return concat(pieces, 0);
}

/** @throws {ShapeError} when an index is not i32, or has other extents than x on another axis */
export function expectIndex(x: Value, index: Value, axis: number, name: string): void {
  const fits = index.rank === x.rank && index.shape.every((extent, i) => i === axis || extent === x.shape[i]);
  if (index.dtype !== "i32" || !fits)
    throw shapeError(
      index.dtype === "i32" ? "OPERANDS" : "DTYPE",
      x.builder,
      name,
      `the index ${index} does not choose along axis ${axis} of ${x}; give i32 with the same extents on the other axes`,
    );
}

/**
 * Elements of x at an index along an axis, which PyTorch calls `take_along_dim`, and `gather` too: f32 or i32
 * [..., n, ...] and i32 [..., k, ...] → [..., k, ...]. An index outside of the axis gives 0, and the executor
 * reports it. The gradient is added in the order of the positions.
 * @param index as many axes as x has, with the same extents on the others
 * @param axis counted from the end where negative
 * @param name the label of the operator; "take-along-dim"
 * @throws {ShapeError} when the axis does not exist, or the index is not i32 or has another shape
 * @throws {GraphError} when the operands belong to two graphs
 */
export function takeAlongDim(x: Value, index: Value, axis: number, name = "take-along-dim"): Value {
  builderOf(name, { x, index });
  const at = axisOf(x, axis, name);
  expectIndex(x, index, at, name);
  const source = rowsAlong(x, at);
  const chosen = rowsAlong(index, at);
  const out = takeRows(source, chosen, name);
  const back = (gradient: Value): Value => addAlong(gradient, chosen, source.shape[1], `${name}-gradient`);
  return axisBack(x.dtype === "f32" ? out.withOrigin([source], (gradient) => [back(gradient)]) : out, x, at);
}

/**
 * Slices of an axis chosen by an index, `gather` along any axis: f32 or i32 [..., n, ...] and i32 [k] →
 * [..., k, ...]. An index outside of the axis gives 0, and the executor reports it.
 * @param axis counted from the end where negative
 * @param index i32 [k]
 * @param name the label of the operator; "index-select"
 * @throws {ShapeError} when the axis does not exist, or the index is no row of i32
 * @throws {GraphError} when the operands belong to two graphs
 */
export function indexSelect(x: Value, axis: number, index: Value, name = "index-select"): Value {
  builderOf(name, { x, index });
  const at = axisOf(x, axis, name);
  if (index.rank !== 1 || index.dtype !== "i32")
    throw shapeError("OPERANDS", x.builder, name, `the index ${index} is no row of i32; flatten it`);
  const others = [...x.shape.keys()].filter((other) => other !== at);
  const order = [at, ...others];
  return transpose(
    gather(transpose(x, order), index, name),
    order.map((_, place) => order.indexOf(place)),
  );
}

takeAlongDim.check = {
  number: 193,
  name: "take along dim",
  digests: {
    result: "0x52125bf5b6b749e330c0518d25bda73a7113395a384ae6ccea3368ea01bf7d42",
    "gradient 0": "0x3a391a33a180cf5dbfcd6f19e0601b83f37a7b9a35feeca8205cc1c18cd14735",
  },
  vector: ({ x, classes, floats }) => ({
    y: asOne(takeAlongDim(x, reshape(classes, [13, 1]), 1)),
    gradient: floats(3146, 13, 1),
  }),
  gradient: [
    {
      title: "of elements that are chosen twice",
      operands: [{ shape: [3, 2] }, indices([2, 2], [2, 0, 2, 1])],
      apply: (x, index) => takeAlongDim(x, index, 0),
      textbook: (_, x) => [x[4], x[1], x[4], x[3]],
    },
  ],
} satisfies Operator["check"];

indexSelect.check = {
  number: 194,
  name: "index select",
  digests: {
    result: "0x5023aaddbe615d0c5904995cae9fc79baef903bffbd374856483339c072aca7a",
    "gradient 0": "0xc04dc6bddd55a64f8a05c9447063988f406812184d136bfc0220c97c012df1c5",
  },
  vector: ({ x, classes, floats }) => ({ y: asOne(indexSelect(x, 1, classes)), gradient: floats(3147, 13, 13) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }, indices([4], [2, 0, 0, 1])],
      apply: (x, index) => indexSelect(x, -1, index),
      textbook: (_, x) => [0, 3].flatMap((row) => [2, 0, 0, 1].map((column) => x[row + column])),
    },
  ],
} satisfies Operator["check"];
