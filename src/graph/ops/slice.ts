/** Slice and pad: each is the other's gradient. */
import type { Shape } from "../../encoding/tensor.ts";
import { describe } from "../../errors/arguments.ts";
import { COPY } from "../dense.ts";
import { type Bounded, map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { axisOf, expectValue, shapeError, type Value } from "../value.ts";
import { viewOf } from "../view.ts";

/**
 * The elements from `from` up to, not including, `to` along one axis. The other axes stay. The result is a
 * view.
 * @param axis counted from the end where negative
 * @throws {ShapeError} when the axis does not exist, or 0 ≤ from ≤ to ≤ its extent does not hold
 */
export function slice(x: Value, axis: number, from: number, to: number): Value {
  expectValue(x, "slice", "x");
  const at = axisOf(x, axis, "slice");
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= x.shape[at]))
    throw shapeError(
      "RANGE",
      x.builder,
      "slice",
      `${describe(from)} to ${describe(to)} is not a range of axis ${axis} of ${x}; take 0 to ${x.shape[at]} at most`,
    );
  const shape = x.shape.map((extent, i) => (i === at ? to - from : extent));
  const offset = shape.includes(0) ? 0 : x.offset + from * x.strides[at];
  return viewOf(x, shape, x.strides, offset, (gradient) => pad(gradient, at, from, x.shape[at] - to));
}

/**
 * Adds `before` and `after` elements of value 0 to the two ends of an axis. The result is a copy.
 * @param axis counted from the end where negative
 * @throws {ShapeError} when the axis does not exist, or a count is negative or not an integer
 */
export function pad(x: Value, axis: number, before: number, after: number): Value {
  expectValue(x, "pad", "x");
  const at = axisOf(x, axis, "pad");
  if (![before, after].every((count) => Number.isInteger(count) && count >= 0))
    throw shapeError(
      "RANGE",
      x.builder,
      "pad",
      `can't add ${describe(before)} elements before and ${describe(after)} after axis ${axis} of ${x}; ` +
        "take counts from 0, and use slice to remove elements",
    );
  if (before === 0 && after === 0) return x;
  const extent = x.shape[at];
  const shape = x.shape.map((size, i) => (i === at ? before + extent + after : size));
  const operand = shifted(x, shape, at, before);
  return map(COPY[x.dtype], [operand], { name: "pad", shape }).withOrigin([x], (gradient) => [
    slice(gradient, at, before, before + extent),
  ]);
}

/** Reads x inside a larger shape, in which it begins at `start` of an axis; 0 elsewhere. */
export function shifted(x: Value, shape: Shape, axis: number, start: number): Bounded {
  const bounds = shape.map((size, i): [number, number] => (i === axis ? [start, start + x.shape[axis]] : [0, size]));
  return { source: x, offset: x.offset - start * x.strides[axis], strides: x.strides, bounds, fill: 0 };
}

slice.check = {
  number: 32,
  name: "slice",
  digests: {
    result: "0xa23b1f52e7b577efc410a762424b8836d45defc73b992fe9d66d37f449705c25",
    "gradient 0": "0x37822e2298e30a91efa2766d14a2dee8d778f61906c4fdd46e354f21eb716323",
  },
  vector: ({ x, floats }) => ({ y: slice(x, 1, 5, 30), gradient: floats(3026, 13, 25) }),
  gradient: [
    {
      operands: [{ shape: [2, 4] }],
      apply: (x) => slice(x, -1, 1, 3),
      textbook: (_, x) => [x[1], x[2], x[5], x[6]],
    },
  ],
} satisfies Operator["check"];

pad.check = {
  number: 33,
  name: "pad",
  digests: {
    result: "0xb484f5c2aa7d176780583cd4b72f151ee2cae0e38108718a344ea1c4287bb9d9",
    "gradient 0": "0xe02b5e3a5cbfb6535edfc9acd9b68871f2ee917ea92e74f1629c88bc4a7b0a26",
  },
  vector: ({ x, floats }) => ({ y: pad(x, 0, 2, 3), gradient: floats(3027, 18, 37) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }],
      apply: (x) => pad(x, 0, 1, 2),
      textbook: (_, x) => [0, 0, 0, ...x, 0, 0, 0, 0, 0, 0],
    },
  ],
} satisfies Operator["check"];
