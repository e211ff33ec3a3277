/** Operators along one axis work on rows: the axis is moved to the end, and the others become one. */
import { elementCount } from "../encoding/tensor.ts";
import { reshape } from "./ops/reshape.ts";
import { transpose } from "./ops/transpose.ts";
import type { Value } from "./value.ts";

/** x with one axis as the last: [rows, n]. */
export function rowsAlong(x: Value, axis: number): Value {
  const others = [...x.shape.keys()].filter((other) => other !== axis);
  const rows = elementCount(others.map((other) => x.shape[other]));
  return reshape(transpose(x, [...others, axis]), [rows, x.shape[axis]]);
}

/** The way back: [rows, m] with the last axis at its place among the other axes of x. */
export function axisBack(rows: Value, x: Value, axis: number): Value {
  const others = [...x.shape.keys()].filter((other) => other !== axis);
  const y = reshape(rows, [...others.map((other) => x.shape[other]), rows.shape[1]]);
  const order = [...others, axis];
  return transpose(
    y,
    order.map((_, place) => order.indexOf(place)),
  );
}
