/** The binary logarithm. */
import { log2 as logarithm } from "../../repops/functions/power.ts";
import { unary } from "../elementwise.ts";

/**
 * log2 x within 1 ULP; -2^127 for x ≤ 0: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const log2 = unary("log2", {
  number: 58,
  forward: ({ a }) => logarithm(a),
  gradient: { a: ({ g, a }) => g.div(a.mul(Math.LN2)) },
  textbook: (m, a) => m.log(a) / Math.LN2,
  from: 0.25,
  digests: {
    result: "0xf9113a613612787b288b68b8db9e62b44453ea0cde7f8ce76d3a364719f94a6f",
    "gradient 0": "0xb3743319d3382527e3d138ace68ae55dac3379d72580fea152bf0ac6f669fc1e",
  },
});
