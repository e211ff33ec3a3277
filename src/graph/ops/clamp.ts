/** Bounds. */
import { ANY, floatSetting } from "../../repops/numbers/settings.ts";
import type { Float } from "../../repops/programs/expressions.ts";
import { elementwise } from "../elementwise.ts";
import type { Operator } from "../operator.ts";
import { argumentError, expectValue, settingOf, type Value } from "../value.ts";

/**
 * The nearest number to x from min to max: f32 [...] → f32 [...]. The gradient is 0 outside of them and flows
 * at the bounds themselves, as in PyTorch. Bounds that are values: `maximum` and `minimum`.
 * @param min absent: no lower bound
 * @param max absent: no upper bound. Where it is below min the result is max
 * @throws {ShapeError} when x is not f32
 * @throws {GraphError} when both bounds are absent, or one is not a vf32 once it is rounded
 */
export function clamp(x: Value, min?: number, max?: number): Value {
  expectValue(x, "clamp", "x");
  if (min === undefined && max === undefined) throw argumentError("clamp", "max", max, "a lower or an upper bound");
  const refuse = settingOf(x.builder.label("clamp"));
  const bounded = (name: string, bound: number | undefined): number | undefined =>
    bound === undefined ? undefined : floatSetting(name, bound, ANY, refuse);
  const [low, high] = [bounded("min", min), bounded("max", max)];
  const within = (a: Float, g: Float): Float => {
    const above = high === undefined ? g : a.gt(high).select(0, g);
    return low === undefined ? above : a.lt(low).select(0, above);
  };
  return elementwise(
    "clamp",
    {
      forward: ({ a }) => {
        const raised = low === undefined ? a : a.max(low);
        return high === undefined ? raised : raised.min(high);
      },
      gradient: { a: ({ g, a }) => within(a, g) },
    },
    x,
  );
}

clamp.check = {
  number: 60,
  name: "clamp",
  digests: {
    result: "0xa847ff4119fd5f1881d8ca5e3f110c3bd393c34c00319f56102dacaa83a6298e",
    "gradient 0": "0x565ff714b35f837ba40cc0721cc260438d3525c486adcd093decf1a539f0f6c8",
  },
  vector: ({ x, g }) => ({ y: clamp(x, -1, 2.5), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [3, 5], from: -2, to: 2 }],
      apply: (x) => clamp(x, -1, 0.5),
      textbook: (m, x) => x.map((a) => m.min(m.max(a, -1), 0.5)),
    },
    {
      title: "with one bound",
      operands: [{ shape: [3, 5], from: -2, to: 2 }],
      apply: (x) => clamp(x, undefined, 0.5),
      textbook: (m, x) => x.map((a) => m.min(a, 0.5)),
    },
  ],
} satisfies Operator["check"];
