/** The Gaussian error linear unit. */
import { geluDerivative, gelu as unit } from "../../repops/functions/gelu.ts";
import { unary } from "../elementwise.ts";

/**
 * GELU in its tanh form, x/2 · (1 + tanh(sqrt(2/π) · (x + 0.044715·x³))): f32 [...] → f32 [...]. Within 2.75
 * ULP for x ≥ -1; for smaller x the absolute error is at most 2^-24.2.
 * @throws {ShapeError} when x is not f32
 */
export const gelu = unary("gelu", {
  number: 19,
  forward: ({ a }) => unit(a),
  gradient: { a: ({ g, a }) => g.mul(geluDerivative(a)) },
  textbook: (m, a) => 0.5 * a * (1 + m.tanh(m.sqrt(2 / Math.PI) * (a + 0.044715 * a * a * a))),
  digests: {
    result: "0x72cd4750a0bfca3401c3ca65fdcebd1596e6cb8354cf76163c7ad91787cf7a98",
    "gradient 0": "0x9f3a09da22149eba415555ed1c346ab25cfed8df80d1767caa79c961dca7dd95",
  },
});
