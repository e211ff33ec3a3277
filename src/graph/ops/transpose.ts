/** Axes in another order. */
import type { ShapeError } from "../../errors/index.ts";
import type { Operator } from "../operator.ts";
import { axesOf, expectValue, shapeError, type Value } from "../value.ts";
import { viewOf } from "../view.ts";

/**
 * Axes in another order: axis i of the result is axis `axes[i]` of x. A view.
 *
 *     transpose(x, [0, 2, 1, 3]); // [batch, length, heads, dim] → [batch, heads, length, dim]
 *
 * @param axes the new order, counted from the end where negative; by default the last two are exchanged
 * @throws {ShapeError} when `axes` is not a permutation, or there are no two axes to exchange
 */
export function transpose(x: Value, axes?: readonly number[]): Value {
  expectValue(x, "transpose", "x");
  const fail = (problem: string): ShapeError => shapeError("AXIS", x.builder, "transpose", problem);
  if (axes === undefined && x.rank < 2) throw fail(`${x} has no two axes to exchange; give it two axes`);
  // A scalar's axes have one order, the empty one.
  const isScalars = x.rank === 0 && Array.isArray(axes) && axes.length === 0;
  const order =
    axes === undefined
      ? [...x.shape.keys()].map((axis) => (axis < x.rank - 2 ? axis : 2 * x.rank - 3 - axis))
      : isScalars
        ? []
        : axesOf(x, axes, "transpose");
  if (order.length !== x.rank)
    throw fail(`[${order.join(", ")}] is not an order of the axes of ${x}; list each axis once`);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return viewOf(
    x,
    order.map((axis) => x.shape[axis]),
    order.map((axis) => x.strides[axis]),
    x.offset,
    (gradient) => transpose(gradient, inverse),
  );
}

transpose.check = {
  number: 30,
  name: "transpose",
  digests: {
    result: "0xb14e007d31c4175618520dd8f4c3cee62f4dad9ebd9ec3cad79c29d1281432f6",
    "gradient 0": "0xbc10993825a818c94c63ec386578030c13ea19253f6573e578327819646dc278",
  },
  vector: ({ x, floats }) => ({ y: transpose(x), gradient: floats(3024, 37, 13) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }],
      apply: (x) => transpose(x),
      textbook: (_, [a, b, c, d, e, f]) => [a, d, b, e, c, f],
    },
    {
      title: "of three axes",
      operands: [{ shape: [2, 1, 3] }],
      apply: (x) => transpose(x, [2, 0, 1]),
      textbook: (_, [a, b, c, d, e, f]) => [a, d, b, e, c, f],
    },
  ],
} satisfies Operator["check"];
