/** The rectified linear unit with a slope below 0. */
import { ANY, floatSetting } from "../../repops/numbers/settings.ts";
import { type Elementwise, elementwise } from "../elementwise.ts";
import type { Operator } from "../operator.ts";
import { expectValue, settingOf, type Value } from "../value.ts";

const withNegativeSlope = (slope: number): Elementwise => ({
  forward: ({ a }) => a.gt(0).select(a, a.mul(slope)),
  gradient: { a: ({ g, a }) => a.gt(0).select(g, g.mul(slope)) },
});

/**
 * x where it is above 0, else negativeSlope · x: f32 [...] → f32 [...]. The gradient at 0 is negativeSlope,
 * as in PyTorch.
 * @param negativeSlope 0.01
 * @throws {ShapeError} when x is not f32, {GraphError} when negativeSlope is not a vf32 once it is rounded
 */
export function leakyRelu(x: Value, negativeSlope = 0.01): Value {
  expectValue(x, "leaky-relu", "x");
  const refuse = settingOf(x.builder.label("leaky-relu"));
  return elementwise("leaky-relu", withNegativeSlope(floatSetting("negativeSlope", negativeSlope, ANY, refuse)), x);
}

leakyRelu.check = {
  number: 44,
  name: "leakyRelu",
  digests: {
    result: "0xba4d0a6a0a58dd7b700d65a1537bfbde8cd0a7950d669753ea50db625e297532",
    "gradient 0": "0x67979e9f436d5708a91569aca3826e581e74852228035e01c74ab3fc074172c7",
  },
  vector: ({ x, g }) => ({ y: leakyRelu(x), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -2, to: 2 }],
      apply: (x) => leakyRelu(x, 0.5),
      textbook: (_, x) => x.map((a) => (a > 0 ? a : 0.5 * a)),
    },
  ],
} satisfies Operator["check"];
