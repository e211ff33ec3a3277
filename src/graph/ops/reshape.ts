/** The same elements under another shape. */
import { elementCount, type Shape } from "../../encoding/tensor.ts";
import { describe } from "../../errors/arguments.ts";
import { dense } from "../dense.ts";
import type { Operator } from "../operator.ts";
import { argumentError, expectValue, shapeError, shapeOf, type Value } from "../value.ts";
import { viewOf } from "../view.ts";

/**
 * The same elements in row-major order with another shape. The result is a view where the strides allow it,
 * else a copy.
 *
 *     reshape(x, [-1, 8]); // [4, 2, 8] → [8, 8]
 *
 * @param shape one extent may be -1: it is computed from the others
 * @throws {ShapeError} when the number of elements differs
 */
export function reshape(x: Value, shape: Shape): Value {
  expectValue(x, "reshape", "x");
  if (!Array.isArray(shape) || ![...shape].every((extent) => typeof extent === "number"))
    throw argumentError("reshape", "shape", shape, "a list of extents");
  if (shape.filter((extent) => extent === -1).length > 1)
    throw shapeError("RESHAPE", x.builder, "reshape", `[${shape.join(", ")}] leaves two extents open; -1 stands once`);
  const known = elementCount(shape.filter((extent) => extent !== -1));
  const target = shape.map((extent) => (extent === -1 ? elementCount(x.shape) / known : extent));
  if (elementCount(target) !== elementCount(x.shape) || target.some((extent) => extent >>> 0 !== extent))
    throw shapeError(
      "RESHAPE",
      x.builder,
      "reshape",
      `${x} does not have the number of elements of [${shape.map(describe).join(", ")}]`,
    );
  shapeOf(target, x.builder.label("reshape"));
  const strides = reshapedStrides(x.shape, x.strides, target);
  if (!strides) return reshape(dense(x, "reshape"), target);
  return viewOf(x, target, strides, x.offset, (gradient) => reshape(gradient, x.shape));
}

/** Strides that read the elements in the same order with another shape, if there are any. */
function reshapedStrides(shape: Shape, strides: readonly number[], target: Shape): number[] | undefined {
  if (elementCount(target) === 0) return target.map(() => 0);
  const axes = [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const out = new Array<number>(target.length).fill(0);
  let to = target.length - 1;
  for (let from = axes.length - 1; from >= 0; ) {
    // Axes that form one run of memory count as one axis.
    let size = shape[axes[from]];
    const stride = strides[axes[from]];
    while (--from >= 0 && strides[axes[from]] === stride * size) size *= shape[axes[from]];
    for (let step = stride; size > 1; to--) {
      if (to < 0 || size % target[to] !== 0) return undefined;
      if (target[to] === 1) continue;
      out[to] = step;
      step *= target[to];
      size /= target[to];
    }
  }
  return out;
}

reshape.check = {
  number: 31,
  name: "reshape",
  digests: {
    result: "0x34e0e485edac33d7dba40a538418f1c8818661653607e1ba9c45fbfa7077fe99",
    "gradient 0": "0xb3de4c5144b25b2ff6bbade2d1c21f874274ee2cea64441c8afc2ff585a46c7d",
  },
  vector: ({ x, floats }) => ({ y: reshape(x, [37, 13]), gradient: floats(3025, 37, 13) }),
  gradient: [{ operands: [{ shape: [3, 4] }], apply: (x) => reshape(x, [2, -1]), textbook: (_, x) => x }],
} satisfies Operator["check"];
