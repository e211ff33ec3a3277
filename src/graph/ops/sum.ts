/** Sums over axes and broadcasting: each is the other's gradient. */
import type { Shape } from "../../encoding/tensor.ts";
import { SUM_STEP } from "../../repops/kernels/kernel.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { type Reduction, reduction } from "../reduction.ts";
import { foldAxes } from "../rows.ts";
import { expectFloat, expectValue, shapeError, shapeOf, type Value } from "../value.ts";
import { viewOf } from "../view.ts";
import { reshape } from "./reshape.ts";

/**
 * Repeats extents of 1, and axes that are missing in front: any [...] → `shape`. The result is a view. Its
 * gradient is summed.
 * @throws {ShapeError} when another extent of x differs from that of `shape`
 */
export function broadcastTo(x: Value, shape: Shape): Value {
  expectValue(x, "broadcast", "x");
  // Products and gradients of gathers fold over views that are larger than any tensor.
  shapeOf(shape, x.builder.label("broadcast"), Infinity);
  const lead = shape.length - x.rank;
  const fits = lead >= 0 && x.shape.every((extent, axis) => extent === shape[axis + lead] || extent === 1);
  if (!fits) throw shapeError("BROADCAST", x.builder, "broadcast", `${x} does not broadcast to [${shape.join(", ")}]`);
  if (lead === 0 && x.shape.join() === shape.join()) return x;
  const strides = shape.map((extent, axis) =>
    axis < lead || x.shape[axis - lead] !== extent ? 0 : x.strides[axis - lead],
  );
  return viewOf(x, shape, strides, x.offset, (gradient) => sumTo(gradient, x.shape));
}

/** A value with one element for each row, read along the rows of x: [...] → [..., n] for x of [..., n]. */
export function perRow(value: Value, x: Value): Value {
  return broadcastTo(reshape(value, [...value.shape, 1]), x.shape);
}

/**
 * Σ over axes, which are removed. Rows are summed in 16 interleaved lanes when their length is a multiple of
 * 16 and above 16.
 * @param x f32 [...]
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "sum"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, the list is empty, or
 *   more than 2^22 elements are added
 */
export function sum(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  const { name, axes: over, finish, widen } = reduction(x, axes, options, "sum");
  expectFloat(x, name);
  if (over.length === 0) return x;
  const total = foldAxes(x, over, { step: SUM_STEP, start: 0, clampRange: "sum", name });
  return finish(total.withOrigin([x], (gradient) => [broadcastTo(widen(gradient), x.shape)]));
}

/** The sum that undoes a broadcast from `shape`. */
export function sumTo(x: Value, shape: Shape): Value {
  const lead = x.rank - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return reshape(axes.length === 0 ? x : sum(x, axes), shape);
}

const total = (row: readonly number[]): number => row.reduce((a, b) => a + b, 0);

sum.check = {
  number: 26,
  name: "sum",
  digests: {
    result: "0x4bb17ce2c2afc8879ce6ccd358c0244fbc53c0cc1d9a17f09833707bed95119e",
    "gradient 0": "0xd541f53e9542ccd90aa0a831e28be48954e9bc262b6394cc69fe49366638bb7a",
  },
  vector: ({ x, floats }) => ({ y: sum(x, [0]), gradient: floats(3020, 37) }),
  gradient: [
    {
      title: "over the first and the last axis",
      operands: [{ shape: [2, 3, 4] }],
      apply: (x) => sum(x, [0, 2]),
      textbook: (_, x) => [0, 1, 2].map((j) => total(x.filter((_, i) => Math.floor(i / 4) % 3 === j))),
    },
    {
      title: "of rows that are folded in lanes",
      operands: [{ shape: [3, 64] }],
      apply: (x) => sum(x, [-1]),
      textbook: (_, x) => rowsOf(x, 64).map(total),
    },
    { title: "of all elements", operands: [{ shape: [2, 3] }], apply: (x) => sum(x), textbook: (_, x) => [total(x)] },
  ],
} satisfies Operator["check"];

broadcastTo.check = {
  number: 29,
  name: "broadcast",
  digests: {
    result: "0x109e6761b790933f87c42d2258e647f4cf45156f7ab3f9a4be93232bca40e844",
    "gradient 0": "0x777ab9f4a7d124237d178b4dec48e927633570cdad63363f197fe0c30793e74d",
  },
  vector: ({ floats }) => ({ y: broadcastTo(floats(3022, 13, 1), [4, 13, 37]), gradient: floats(3023, 4, 13, 37) }),
  gradient: [
    {
      operands: [{ shape: [3, 1] }],
      apply: (x) => broadcastTo(x, [2, 3, 4]),
      textbook: (_, x) => [...x, ...x].flatMap((value) => [value, value, value, value]),
    },
  ],
} satisfies Operator["check"];
