/** The exponential linear unit. */
import { exp, expm1 } from "../../repops/functions/exponential.ts";
import { ANY, floatSetting } from "../../repops/numbers/settings.ts";
import { type Elementwise, elementwise } from "../elementwise.ts";
import type { Operator } from "../operator.ts";
import { expectValue, settingOf, type Value } from "../value.ts";

const withAlpha = (alpha: number): Elementwise => ({
  forward: ({ a }) => a.gt(0).select(a, expm1(a.min(0)).mul(alpha)),
  gradient: { a: ({ g, a }) => a.gt(0).select(g, exp(a.min(0)).mul(alpha).mul(g)) },
});

/**
 * x where it is above 0, else alpha · (e^x - 1): f32 [...] → f32 [...]. The gradient at 0 is alpha, as in
 * PyTorch.
 * @param alpha 1
 * @throws {ShapeError} when x is not f32, {GraphError} when alpha is not a vf32 once it is rounded
 */
export function elu(x: Value, alpha = 1): Value {
  expectValue(x, "elu", "x");
  const refuse = settingOf(x.builder.label("elu"));
  return elementwise("elu", withAlpha(floatSetting("alpha", alpha, ANY, refuse)), x);
}

elu.check = {
  number: 43,
  name: "elu",
  digests: {
    result: "0x7cbbf70b78060ce24779ae355678554384c2c0f7de1b4d28518e33cf062b642d",
    "gradient 0": "0xf17cccf9c3926b17809455276224c7293335445dfbc80c368856a89b7042016d",
  },
  vector: ({ x, g }) => ({ y: elu(x), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -2, to: 2 }],
      apply: (x) => elu(x, 0.5),
      textbook: (m, x) => x.map((a) => (a > 0 ? a : 0.5 * m.expm1(a))),
    },
  ],
} satisfies Operator["check"];
