/** A smooth form of the rectified linear unit. */
import { sigmoid, softplus as smooth } from "../../repops/functions/sigmoid.ts";
import { POSITIVE, floatSetting } from "../../repops/numbers/settings.ts";
import { type Elementwise, elementwise } from "../elementwise.ts";
import type { Operator, Trial } from "../operator.ts";
import { expectValue, settingOf, type Value } from "../value.ts";

const scaled = (beta: number): Elementwise =>
  beta === 1
    ? { forward: ({ a }) => smooth(a), gradient: { a: ({ g, a }) => sigmoid(a).mul(g) } }
    : {
        forward: ({ a }) => smooth(a.mul(beta)).div(beta),
        gradient: { a: ({ g, a }) => sigmoid(a.mul(beta)).mul(g) },
      };

/**
 * ln(1 + e^(beta·x))/beta, within 1.2 ULP and rising where beta is 1: f32 [...] → f32 [...]. PyTorch's
 * threshold is not needed: where the result rounds to x, it is x.
 * @param beta above 0; 1
 * @throws {ShapeError} when x is not f32, {GraphError} for another beta
 */
export function softplus(x: Value, beta = 1): Value {
  expectValue(x, "softplus", "x");
  const refuse = settingOf(x.builder.label("softplus"));
  return elementwise("softplus", scaled(floatSetting("beta", beta, POSITIVE, refuse)), x);
}

const trial = (beta: number): Trial => ({
  title: `with beta ${beta}`,
  operands: [{ shape: [3, 5], from: -3, to: 3 }],
  apply: (x) => softplus(x, beta),
  textbook: (m, x) => x.map((a) => m.log1p(m.exp(beta * a)) / beta),
});

softplus.check = {
  number: 42,
  name: "softplus",
  digests: {
    result: "0x5d5ce5af42b9258950833a7c2c1bc6ae5a371e302d461056be37e30b0fa85117",
    "gradient 0": "0x7bfef0df37cbbaef9e660828c156f7c8b49f4efa7d30e4a7157127269644a6da",
  },
  vector: ({ x, g }) => ({ y: softplus(x), gradient: g }),
  gradient: [trial(1), trial(2)],
} satisfies Operator["check"];
