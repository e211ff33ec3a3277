/** Means over axes. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { expectElements, type Reduction, reduction } from "../reduction.ts";
import { expectFloat, type Value } from "../value.ts";
import { sum } from "./sum.ts";

/**
 * The mean over axes, which are removed: the sum times the rounded reciprocal of the count.
 *
 *     const loss = mean(square(sub(predicted, wanted)));
 *
 * @param x f32 [...]
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "mean"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, the list is empty, or
 *   there are no elements to take the mean of
 */
export function mean(x: Value, axes?: readonly number[], options?: string | Reduction): Value {
  const reduced = reduction(x, axes, options, "mean");
  const { name, count, finish } = reduced;
  expectFloat(x, name);
  expectElements(x, reduced);
  const total = sum(x, axes, name);
  const scale = defineProgram("f", (y) => y.mul(1 / count));
  const scaled = (y: Value): Value => map(scale, [y], { name, shape: y.shape });
  return finish(scaled(total).withOrigin([total], (gradient) => [scaled(gradient)]));
}

mean.check = {
  number: 27,
  name: "mean",
  digests: {
    result: "0xd22e43de4db7ee3f54b3ce387c895f775e84ca79c9eef384e78ae631e708547a",
    "gradient 0": "0xfaf78ece7ef0f7aecb2e037b38dfddad8443e6101026436024570458c2e1c68a",
  },
  vector: ({ x, floats }) => ({ y: mean(x, [1]), gradient: floats(3021, 13) }),
  gradient: [
    {
      operands: [{ shape: [2, 3, 4] }],
      apply: (x) => mean(x, [1]),
      textbook: (_, x) =>
        Array.from({ length: 8 }, (_, i) => {
          const at = Math.floor(i / 4) * 12 + (i % 4);
          return (x[at] + x[at + 4] + x[at + 8]) / 3;
        }),
    },
  ],
} satisfies Operator["check"];
