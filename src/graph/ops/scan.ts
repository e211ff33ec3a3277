/**
 * Running sums, products and maxima. All are made by doubling: step t combines each element with the one 2^t
 * places before it. So an extent of n takes ⌈log2 n⌉ maps of n elements each, and rounding errors grow with
 * their number and not with n.
 */
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { asOne } from "../as-one.ts";
import { type Bounded, map } from "../emit.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { axisOf, expectFloat, type Value } from "../value.ts";
import { flip } from "./flip.ts";
import { takeAlongDim } from "./take-along-dim.ts";

const ADD = defineProgram("ff", (x, before) => x.add(before));
const MULTIPLY = defineProgram("ff", (x, before) => x.mul(before));
const GREATER = defineProgram("ff", (x, before) => x.max(before));
const LATER = defineProgram("ii", (x, before) => before.lt(x).selectInt(x, before));
/** Of a product of two elements: through the one at this place, and the one for which it is the earlier. */
const MULTIPLY_GRADIENT = defineProgram("ffff", (gradient, before, laterGradient, later) =>
  gradient.mul(before).add(laterGradient.mul(later)),
);
const RECORD = defineProgram("ffi", (x, greatest, at) => x.eq(greatest).selectInt(at, -1));

/** Element i - shift at element i, and `fill` where that is outside of the axis. */
function moved(x: Value, axis: number, shift: number, fill: number): Bounded {
  const extent = x.shape[axis];
  const range: [number, number] = [Math.max(0, shift), Math.min(extent, extent + shift)];
  const bounds = x.shape.map((size, i): [number, number] => (i === axis ? range : [0, size]));
  return { source: x, offset: x.offset - shift * x.strides[axis], strides: x.strides, bounds, fill };
}

/** Applies `step` with the distances 1, 2, 4 and so on. */
function doubled(x: Value, axis: number, step: (value: Value, shift: number) => Value): Value {
  let value = x;
  for (let shift = 1; shift < x.shape[axis]; shift *= 2) value = step(value, shift);
  return value;
}

/**
 * The sum of each element and those before it along an axis: f32 [...] → the same shape. By doubling, so the
 * order of the additions is that of this file, not from left to right: y[i] = x[i] + x[i-1], then y[i] +
 * y[i-2], y[i] + y[i-4] and so on. It takes ⌈log2 n⌉ additions an element.
 * @param axis counted from the end where negative
 * @param name the label of the operator; "cumsum"
 * @throws {ShapeError} when x is not f32, or the axis does not exist
 */
export function cumsum(x: Value, axis: number, name = "cumsum"): Value {
  expectFloat(x, name);
  const at = axisOf(x, axis, name);
  const y = doubled(x, at, (value, shift) => map(ADD, [value, moved(value, at, shift, 0)], { name, shape: x.shape }));
  return y.withOrigin([x], (gradient) => [flip(cumsum(flip(gradient, [at]), at, `${name}-gradient`), [at])]);
}

/**
 * The product of each element and those before it along an axis: f32 [...] → the same shape. By doubling, as
 * `cumsum`, with multiplications. Its gradient divides by nothing, so it is right where elements are 0; it
 * takes 3 · ⌈log2 n⌉ instructions an element.
 * @param axis counted from the end where negative
 * @param name the label of the operator; "cumprod"
 * @throws {ShapeError} when x is not f32, or the axis does not exist
 */
export function cumprod(x: Value, axis: number, name = "cumprod"): Value {
  expectFloat(x, name);
  const at = axisOf(x, axis, name);
  return doubled(x, at, (value, shift) => {
    const y = map(MULTIPLY, [value, moved(value, at, shift, 1)], { name, shape: x.shape });
    return y.withOrigin([value], (gradient) => {
      const later = [moved(gradient, at, -shift, 0), moved(value, at, -shift, 0)];
      const operands = [gradient, moved(value, at, shift, 1), ...later];
      return [map(MULTIPLY_GRADIENT, operands, { name: `${name}-gradient`, shape: x.shape })];
    });
  });
}

/**
 * The greatest of each element and those before it along an axis, and its index: f32 [...] → f32 and i32 of
 * the same shape. As in PyTorch the index is that of the last element that is equal to it. By doubling, as
 * `cumsum`.
 * @param axis counted from the end where negative
 * @param name the label of the operator; "cummax"
 * @throws {ShapeError} when x is not f32, or the axis does not exist
 */
export function cummax(x: Value, axis: number, name = "cummax"): { values: Value; indices: Value } {
  expectFloat(x, name);
  const at = axisOf(x, axis, name);
  const options = { name, shape: x.shape };
  const greatest = doubled(x, at, (value, shift) =>
    map(GREATER, [value, moved(value, at, shift, -MAX_VALUE)], options),
  );
  const records = map(RECORD, [x, greatest, { coordinate: at }], { ...options, name: `${name}-records` });
  const indices = doubled(records, at, (value, shift) =>
    // Outside it reads 0, which is no later than any record.
    map(LATER, [value, moved(value, at, shift, 0)], { ...options, name: `${name}-index` }),
  );
  return { values: takeAlongDim(x, indices, at, name), indices };
}

/** The sums of each row's elements up to each place, or what else joins them. */
const running = (row: readonly number[], join: (a: number, b: number) => number): number[] =>
  row.map((_, i) => row.slice(0, i + 1).reduce(join));

cumsum.check = {
  number: 190,
  name: "cumsum",
  digests: {
    result: "0xad65ef43abd8f0ab2ffbea8ad9c1ffe4547db4c78759b83602a9e485a1bb5727",
    "gradient 0": "0x9688fc4ffd1cde9cc633e4e168fee560d9269f25e2f49944a8260650d6d5d247",
  },
  vector: ({ x, g }) => ({ y: cumsum(x, 1), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 5] }],
      apply: (x) => cumsum(x, -1),
      textbook: (_, x) => rowsOf(x, 5).flatMap((row) => running(row, (a, b) => a + b)),
    },
    {
      title: "along the first axis",
      operands: [{ shape: [3, 2] }],
      apply: (x) => cumsum(x, 0),
      textbook: (_, [a, b, c, d, e, f]) => [a, b, a + c, b + d, a + c + e, b + d + f],
    },
  ],
} satisfies Operator["check"];

cumprod.check = {
  number: 191,
  name: "cumprod",
  digests: {
    result: "0x22324bd403b0c015d3cb5179da7f1cd17d719f148874c729fc3009bac0662c4e",
    "gradient 0": "0xa6162cde08d63530563dc7a65f245ac2a6fb3d7d81962dc7895c0558e0b3126b",
  },
  vector: ({ x, g }) => ({ y: asOne(cumprod(x, 0)), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 5] }],
      apply: (x) => cumprod(x, -1),
      textbook: (_, x) => rowsOf(x, 5).flatMap((row) => running(row, (a, b) => a * b)),
    },
    {
      title: "of rows with zeros",
      operands: [{ dtype: "f32", shape: [2, 4], data: Float32Array.of(2, 0, 3, 5, 0, 1, 0, 2) }],
      apply: (x) => cumprod(x, 1),
      textbook: (_, x) => rowsOf(x, 4).flatMap((row) => running(row, (a, b) => a * b)),
    },
  ],
} satisfies Operator["check"];

cummax.check = {
  number: 192,
  name: "cummax",
  digests: {
    result: "0xb04804f5fe482e391708d126f9afac0feeb218e565a62c6186a66b15a36c7b3d",
    "gradient 0": "0x0f410dc4dc2cca8798634eb1db0e73c7f30c22db8413c474b19f2ee42cf97763",
  },
  vector: ({ x, g }) => ({ y: asOne(cummax(x, 1).values), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 7] }],
      apply: (x) => cummax(x, -1).values,
      textbook: (m, x) => rowsOf(x, 7).flatMap((row) => running(row, (a, b) => m.max(a, b))),
    },
  ],
} satisfies Operator["check"];
