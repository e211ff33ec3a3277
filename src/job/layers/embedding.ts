/** The embedding layer: a trained table. */
import { gather } from "../../graph/ops/gather.ts";
import type { Value } from "../../graph/value.ts";
import type { Context } from "../context.ts";
import { type Initializer, normal } from "../initializers.ts";
import { countOf } from "../settings.ts";
import { expectLayer } from "./arguments.ts";

/**
 * The row of a trained table for each index: i32 [...] → f32 [..., dim]. Parameter `weight` [rows, dim]. An
 * index outside of 0 to rows - 1 gives zeros, and the run reports it.
 * @param name the scope of its parameter and operators
 * @param init the initial table; default normal with deviation 0.02
 * @throws {JobError} when there are no rows or no columns, or the name is taken
 * @throws {ShapeError} when `index` is not i32
 */
export function embedding(
  context: Context,
  name: string,
  index: Value,
  rows: number,
  dim: number,
  init: Initializer = normal(0.02),
): Value {
  const path = expectLayer("embedding", context, name, index);
  countOf(path, "the number of rows", rows);
  countOf(path, "the width", dim);
  return context.scope(name, () => gather(context.parameter("weight", [rows, dim], init), index));
}
