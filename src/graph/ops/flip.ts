/** Axes in reverse, and rolled around. */
import { describe } from "../../errors/arguments.ts";
import { asOne } from "../as-one.ts";
import type { Operator } from "../operator.ts";
import { axesOf, axisOf, expectValue, shapeError, type Value } from "../value.ts";
import { viewOf } from "../view.ts";
import { concat } from "./concat.ts";
import { slice } from "./slice.ts";

/**
 * The elements of some axes in reverse: [...] → the same shape. The result is a view.
 * @param axes counted from the end where negative
 * @throws {ShapeError} when an axis does not exist or is listed twice, or the list is empty
 */
export function flip(x: Value, axes: readonly number[]): Value {
  expectValue(x, "flip", "x");
  const over = axesOf(x, axes, "flip");
  const strides = x.strides.map((stride, axis) => (over.includes(axis) ? 0 - stride : stride));
  const last = over.reduce((offset, axis) => offset + Math.max(0, x.shape[axis] - 1) * x.strides[axis], x.offset);
  return viewOf(x, x.shape, strides, x.shape.includes(0) ? 0 : last, (gradient) => flip(gradient, over));
}

/**
 * The elements of an axis moved by `shift` places; what leaves at one end enters at the other: [...] → the
 * same shape. Element i of the result is element i - shift, modulo the extent.
 * @param shift a whole number; negative ones move elements to the front
 * @param axis counted from the end where negative
 * @throws {ShapeError} when the axis does not exist, or the shift is not whole
 */
export function roll(x: Value, shift: number, axis: number): Value {
  expectValue(x, "roll", "x");
  const at = axisOf(x, axis, "roll");
  if (!Number.isSafeInteger(shift))
    throw shapeError("RANGE", x.builder, "roll", `can't move axis ${axis} of ${x} by ${describe(shift)} places`);
  const extent = x.shape[at];
  const places = extent === 0 ? 0 : ((shift % extent) + extent) % extent;
  if (places === 0) return x;
  return concat([slice(x, at, extent - places, extent), slice(x, at, 0, extent - places)], at);
}

flip.check = {
  number: 155,
  name: "flip",
  digests: {
    result: "0x273730eaec15ee6e7ea287d4bb61bb947fc8554c740d0dd9c5dea49e1f53706f",
    "gradient 0": "0xe1c0716a059f01e154bb24153c34112d04d28199d8d57b02272e31d8d34862ce",
  },
  vector: ({ x, floats }) => ({ y: flip(x, [0, 1]), gradient: floats(3103, 13, 37) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }],
      apply: (x) => flip(x, [-1]),
      textbook: (_, [a, b, c, d, e, f]) => [c, b, a, f, e, d],
    },
  ],
} satisfies Operator["check"];

roll.check = {
  number: 156,
  name: "roll",
  digests: {
    result: "0x5b611381e2e52c9c0722fb213e440c015e557058564694d7de1759ae668b9df5",
    "gradient 0": "0xdea41d40cb4ea816a1a1d27d850955c044591f5c873905ee296c6757a0a2ea51",
  },
  vector: ({ x, floats }) => ({ y: asOne(roll(x, -5, 1)), gradient: floats(3104, 13, 37) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }],
      apply: (x) => roll(x, 7, 1),
      textbook: (_, [a, b, c, d, e, f]) => [c, a, b, f, d, e],
    },
  ],
} satisfies Operator["check"];
