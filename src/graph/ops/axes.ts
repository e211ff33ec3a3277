/** Axes that are added, removed, repeated, joined and exchanged. All are views. */
import { describe } from "../../errors/arguments.ts";
import type { Operator } from "../operator.ts";
import { argumentError, axisOf, expectValue, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/**
 * Without axes of extent 1: [n, 1, m] → [n, m].
 * @param axis the one that is removed if its extent is 1, counted from the end where negative; by default all
 * @throws {ShapeError} when the axis does not exist
 */
export function squeeze(x: Value, axis?: number): Value {
  expectValue(x, "squeeze", "x");
  const at = axis === undefined ? undefined : axisOf(x, axis, "squeeze");
  return reshape(
    x,
    x.shape.filter((extent, i) => extent !== 1 || (at !== undefined && at !== i)),
  );
}

/**
 * `broadcastTo` with -1 for extents that stay: [1, 3] → [2, 3] for `[2, -1]`.
 * @throws {ShapeError} when an extent of x is neither 1 nor that of the shape, or -1 stands for a new axis
 */
export function expand(x: Value, shape: readonly number[]): Value {
  expectValue(x, "expand", "x");
  if (!Array.isArray(shape)) throw argumentError("expand", "shape", shape, "a list of extents");
  const lead = shape.length - x.rank;
  const extents = Array.from(shape as readonly number[], (extent, i) => {
    if (extent !== -1) return extent;
    if (i < lead)
      throw shapeError("BROADCAST", x.builder, "expand", `-1 at position ${i} stands for an axis that ${x} has not`);
    return x.shape[i - lead];
  });
  return broadcastTo(x, extents);
}

/**
 * Axes in another order: `transpose` with a list.
 * @param axes the new order, counted from the end where negative
 * @throws {ShapeError} when `axes` is not a permutation
 */
export function permute(x: Value, axes: readonly number[]): Value {
  expectValue(x, "permute", "x");
  if (!Array.isArray(axes)) throw argumentError("permute", "axes", axes, "a list of axes");
  return transpose(x, axes);
}

/**
 * Two axes in each other's place.
 * @param a counted from the end where negative
 * @param b counted from the end where negative
 * @throws {ShapeError} when one does not exist
 */
export function swapaxes(x: Value, a: number, b: number): Value {
  expectValue(x, "swapaxes", "x");
  const [from, to] = [axisOf(x, a, "swapaxes"), axisOf(x, b, "swapaxes")];
  return transpose(
    x,
    [...x.shape.keys()].map((axis) => (axis === from ? to : axis === to ? from : axis)),
  );
}

/**
 * Several axes as one, row-major: [2, 3, 4] → [2, 12] for a start of 1. A scalar becomes [1].
 * @param start the first axis that is joined, counted from the end where negative; 0
 * @param end the last one, counted alike; -1
 * @throws {ShapeError} when an axis does not exist, or the end is before the start
 */
export function flatten(x: Value, start = 0, end = -1): Value {
  expectValue(x, "flatten", "x");
  if (x.rank === 0) return reshape(x, [1]);
  const [from, to] = [axisOf(x, start, "flatten"), axisOf(x, end, "flatten")];
  if (to < from)
    throw shapeError(
      "AXIS",
      x.builder,
      "flatten",
      `the end, axis ${describe(end)} of ${x}, is before the start, axis ${describe(start)}; exchange them`,
    );
  const joined = x.shape.slice(from, to + 1).reduce((product, extent) => product * extent, 1);
  return reshape(x, [...x.shape.slice(0, from), joined, ...x.shape.slice(to + 1)]);
}

squeeze.check = {
  number: 163,
  name: "squeeze",
  digests: {
    result: "0x176fd9eec56619939a67b2146e7dad634acc684c17a9af21b23a9d7f019bf1e4",
    "gradient 0": "0xaaf22505cd37e3ed5aa049143ce903b96ee35ef0d46fbce5436e0a2b1b56c91d",
  },
  vector: ({ floats }) => ({ y: squeeze(floats(3111, 1, 13, 1, 5), 2), gradient: floats(3112, 1, 13, 5) }),
  gradient: [{ operands: [{ shape: [1, 3, 1, 2] }], apply: (x) => squeeze(x), textbook: (_, x) => x }],
} satisfies Operator["check"];

expand.check = {
  number: 164,
  name: "expand",
  digests: {
    result: "0x580dd70e9539ff9beb4256f1bf0735c02e825cf558e4082d32682b08c1f1f3fd",
    "gradient 0": "0xd9e5d420a77e0316882c6a96b8dab62b06e3eac8691b5d6f828e67d29b332ebe",
  },
  vector: ({ floats }) => ({ y: expand(floats(3113, 13, 1), [3, -1, 7]), gradient: floats(3114, 3, 13, 7) }),
  gradient: [
    {
      operands: [{ shape: [2, 1] }],
      apply: (x) => expand(x, [2, -1, 2]),
      textbook: (_, [a, b]) => [a, a, b, b, a, a, b, b],
    },
  ],
} satisfies Operator["check"];

permute.check = {
  number: 165,
  name: "permute",
  digests: {
    result: "0xc1506f35df24199140c95cbbee2fc4328587d27f92c18742f9d82914cf73d2ef",
    "gradient 0": "0x20444d1aa20c86c7b4ce0e40516752c5ded1995509398a60b32b09b71ae21c8d",
  },
  vector: ({ floats }) => ({ y: permute(floats(3115, 3, 4, 5), [2, 0, 1]), gradient: floats(3116, 5, 3, 4) }),
  gradient: [
    {
      operands: [{ shape: [2, 1, 3] }],
      apply: (x) => permute(x, [2, 0, 1]),
      textbook: (_, [a, b, c, d, e, f]) => [a, d, b, e, c, f],
    },
  ],
} satisfies Operator["check"];

swapaxes.check = {
  number: 166,
  name: "swapaxes",
  digests: {
    result: "0x66340cc0ecd3f857a5ea309db179ab9ad5c48d8431295d2ef3ca6d2d7b5956de",
    "gradient 0": "0xf1de647d3b86c45c03e61bfbb4a27c25d2d42bc101ca5422cf36491c844c144c",
  },
  vector: ({ floats }) => ({ y: swapaxes(floats(3117, 3, 4, 5), 0, -1), gradient: floats(3118, 5, 4, 3) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }],
      apply: (x) => swapaxes(x, 0, 1),
      textbook: (_, [a, b, c, d, e, f]) => [a, d, b, e, c, f],
    },
  ],
} satisfies Operator["check"];

flatten.check = {
  number: 167,
  name: "flatten",
  digests: {
    result: "0xf9eca45bf699e31593396835c2daf88f1334490b625eb26032b925a56dd8f821",
    "gradient 0": "0x8fc7e97ed799e3fb62297c40041ef006d0640b4d22b92626ba47af404601ffcf",
  },
  vector: ({ floats }) => ({ y: flatten(floats(3119, 3, 4, 5), 1), gradient: floats(3120, 3, 20) }),
  gradient: [{ operands: [{ shape: [2, 3] }], apply: (x) => flatten(x), textbook: (_, x) => x }],
} satisfies Operator["check"];
