/** Values one after the other. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { argumentError, axisOf, builderOf, shapeError, type Value } from "../value.ts";
import { shifted, slice } from "./slice.ts";

/**
 * The most values that are joined one after another, each with the tensor of those before it. Its time grows
 * with the square of their number, so more values are joined by halves.
 */
const MAX_CHAIN = 32;

/**
 * Values one after the other along an axis, in a tensor of its own: [..., n1, ...], [..., n2, ...] → [..., n1
 * + n2, ...]. A single value is returned as it is.
 * @param axis counted from the end where negative
 * @throws {ShapeError} when the axis does not exist, another extent differs, or the dtypes differ
 * @throws {GraphError} when there is no value, or the values belong to two graphs
 */
export function concat(values: readonly Value[], axis: number): Value {
  if (!Array.isArray(values)) throw argumentError("concat", "values", values, "a list of values");
  const builder = builderOf("concat", Object.fromEntries(Array.from(values, (value, i) => [`value ${i}`, value])));
  const list: readonly Value[] = values;
  const [first] = list;
  const at = axisOf(first, axis, "concat");
  for (const [i, value] of list.entries()) {
    const fits = value.rank === first.rank && value.shape.every((extent, j) => j === at || extent === first.shape[j]);
    if (!fits || value.dtype !== first.dtype)
      throw shapeError(
        "OPERANDS",
        builder,
        "concat",
        `value 0, ${first}, and value ${i}, ${value}, can't be joined along axis ${axis}`,
      );
  }
  return joinAll(list, at);
}

function joinAll(values: readonly Value[], axis: number): Value {
  if (values.length <= MAX_CHAIN) return values.reduce((left, right) => join(left, right, axis));
  const middle = values.length >> 1;
  return join(joinAll(values.slice(0, middle), axis), joinAll(values.slice(middle), axis), axis);
}

function join(left: Value, right: Value, axis: number): Value {
  const cut = left.shape[axis];
  const shape = left.shape.map((extent, i) => (i === axis ? extent + right.shape[i] : extent));
  const operands = [shifted(left, shape, axis, 0), shifted(right, shape, axis, cut), { coordinate: axis }];
  return map(joined(left, cut), operands, { name: "concat", shape }).withOrigin([left, right], (gradient) => [
    slice(gradient, axis, 0, cut),
    slice(gradient, axis, cut, shape[axis]),
  ]);
}

const joined = (x: Value, cut: number) =>
  x.dtype === "f32"
    ? defineProgram("ffi", (a, b, i) => i.lt(cut).select(a, b))
    : defineProgram("iii", (a, b, i) => i.lt(cut).selectInt(a, b));

concat.check = {
  number: 34,
  name: "concat",
  digests: {
    result: "0x1fab5e39d5774b94bf398ce6233b2646e35a218c02b02a355d5399bdbe2150a0",
    "gradient 0": "0xba17270b4cd36f0974d2e1eacbc0b56c4990f21941c067f3f3e5f1e976bfd819",
    "gradient 1": "0xb6dece19fbffa414bb82dc78e2cbcc315d1beb03d91989506e3bdd491185fa40",
  },
  vector: ({ x, g, floats }) => ({ y: concat([x, g], 1), gradient: floats(3028, 13, 74) }),
  gradient: [
    {
      operands: [{ shape: [2, 2] }, { shape: [2, 3] }],
      apply: (x, y) => concat([x, y], 1),
      textbook: (_, x, y) => [x[0], x[1], y[0], y[1], y[2], x[2], x[3], y[3], y[4], y[5]],
    },
  ],
} satisfies Operator["check"];
