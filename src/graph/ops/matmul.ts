/** Matrix products: one dot fold, in every transposition and with any batch axes. */
import type { Shape } from "../../encoding/tensor.ts";
import { DOT_STEP } from "../../repops/kernels/kernel.ts";
import { fold } from "../emit.ts";
import { broadcastTo, sumTo } from "./reduce.ts";
import { builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { transpose, viewOf } from "./views.ts";

/**
 * a·b over the last two axes: [..., m, k] · [..., k, n] → [..., m, n]; batch axes broadcast. Transposed operands are
 * views (`transpose`), so A·Bᵀ and Aᵀ·B cost the same. Each element is Σ over k in order, from +0, its operands in the dot
 * range (spec 4.3).
 * @throws {ShapeError} when the inner extents differ, or k exceeds 2^22
 */
export function matmul(a: Value, b: Value, name = "matmul"): Value {
  const builder = builderOf(a, b);
  expectFloat(a, name);
  expectFloat(b, name);
  if (a.rank < 2 || b.rank < 2 || a.shape[a.rank - 1] !== b.shape[b.rank - 2])
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `${a} times ${b}: the last extent of the first and the last but one of the second differ`,
    );
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.rank - 1];
  const batch = batchShape(a, b, name);
  const left = spread(broadcastTo(a, [...batch, m, k]), 1, n);
  const right = spread(transpose(broadcastTo(b, [...batch, k, n])), 0, m);
  const out = fold(DOT_STEP, [left, right], { name, shape: [...batch, m, n], reduce: [k], start: 0, ranging: "dot" });
  return out.withOrigin([a, b], (gradient) => [
    sumTo(matmul(gradient, transpose(b), `${name}-gradient`), a.shape),
    sumTo(matmul(transpose(a), gradient, `${name}-gradient`), b.shape),
  ]);
}

function batchShape(a: Value, b: Value, name: string): Shape {
  const rank = Math.max(a.rank, b.rank) - 2;
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a, b].map((value) => value.shape[axis - rank - 2 + value.rank] ?? 1);
    if (x !== y && x !== 1 && y !== 1)
      throw shapeError("BROADCAST", builderOf(a, b), name, `the batch axes of ${a} and ${b} do not broadcast`);
    return x === 1 ? y : x;
  });
}

/** A new axis of stride 0, `at` axes behind the batch: how an operand is read over the whole iteration space. */
function spread(x: Value, at: number, extent: number): Value {
  const axis = x.rank - 2 + at;
  const shape = [...x.shape.slice(0, axis), extent, ...x.shape.slice(axis)];
  const strides = [...x.strides.slice(0, axis), 0, ...x.strides.slice(axis)];
  return viewOf(x, shape, strides, x.offset, (gradient) => gradient);
}
