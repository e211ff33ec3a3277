/** Views: the same elements with other coordinates. A view needs no operator. */
import type { Shape } from "../encoding/tensor.ts";
import { Value } from "./value.ts";

/** A view of x, with the rule by which its gradient flows back. */
export function viewOf(
  x: Value,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  back: (gradient: Value) => Value,
): Value {
  const { builder, source, dtype } = x;
  const origin = { inputs: [x], backward: (gradient: Value) => [back(gradient)] };
  return new Value(builder, source, dtype, shape, { offset, strides, origin });
}
