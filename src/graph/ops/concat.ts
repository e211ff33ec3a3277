/** Values one after the other. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { axisOf, builderOf, shapeError, type Value } from "../value.ts";
import { shifted, slice } from "./slice.ts";

/**
 * Values one after the other along an axis, in a tensor of its own: [..., n1, ...], [..., n2, ...] → [..., n1
 * + n2, ...].
 * @param axis counted from the end where negative
 * @throws {ShapeError} when the axis does not exist, another extent differs, or the dtypes differ
 * @throws {GraphError} when there is no value, or the values belong to two graphs
 */
export function concat(values: readonly Value[], axis: number): Value {
  const builder = builderOf(...values);
  const [first, ...rest] = values;
  const at = axisOf(first, axis, "concat");
  return rest.reduce((left, right) => {
    const fits = right.rank === left.rank && right.shape.every((extent, i) => i === at || extent === left.shape[i]);
    if (!fits || left.dtype !== right.dtype)
      throw shapeError("OPERANDS", builder, "concat", `${left} and ${right} can't be joined along axis ${axis}`);
    const cut = left.shape[at];
    const shape = left.shape.map((extent, i) => (i === at ? extent + right.shape[i] : extent));
    const operands = [shifted(left, shape, at, 0), shifted(right, shape, at, cut), { coordinate: at }];
    return map(joined(left, cut), operands, { name: "concat", shape }).withOrigin([left, right], (gradient) => [
      slice(gradient, at, 0, cut),
      slice(gradient, at, cut, shape[at]),
    ]);
  }, first);
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
