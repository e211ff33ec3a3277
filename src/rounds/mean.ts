/** A mean over those who were there. */
import { argumentError } from "../graph/value.ts";
import { add } from "../graph/ops/add.ts";
import { div } from "../graph/ops/div.ts";
import { maximum } from "../graph/ops/maximum.ts";
import { mul } from "../graph/ops/mul.ts";
import { toFloat } from "../graph/ops/to-float.ts";
import { where } from "../graph/ops/where.ts";
import type { Value } from "../graph/value.ts";

const sumOf = (values: readonly Value[]): Value => values.reduce((sum, value) => add(sum, value));

/**
 * The mean of the values of those who were there: f32 [...] of one shape, and an i32 scalar for each, 1 or 0
 * → f32 [...]. It is the sum in their order times 1 / their number, so that if all are there, its bits are
 * those of `mul(sum, 1 / n)`. If nobody is there it is 0. What an absent one has, NaN too, does not count.
 *
 *     next: (own, { workers }, { present }) => meanPresent(workers, present.workers)
 *
 * @throws {GraphError} when there is no value, or not one presence for each
 */
export function meanPresent(values: readonly Value[], present: readonly Value[]): Value {
  if (values.length === 0 || values.length !== present.length)
    throw argumentError("meanPresent", "present", present.length, `one for each of the values, of which there are ${values.length} (1 or more)`); // prettier-ignore
  const sum = sumOf(values.map((value, i) => where(present[i], value, 0)));
  const count = sumOf(present.map((each) => toFloat(each)));
  return mul(sum, div(1, maximum(count, 1)));
}
