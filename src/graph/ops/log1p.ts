/** The logarithm of 1 + x. */
import { log1p as logarithm } from "../../repops/functions/logarithm.ts";
import { unary } from "../elementwise.ts";

/**
 * ln(1 + x) within 1 ULP; -2^127 for x ≤ -1: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const log1p = unary("log1p", {
  number: 46,
  forward: ({ a }) => logarithm(a),
  gradient: { a: ({ g, a }) => g.div(a.add(1)) },
  textbook: (m, a) => m.log1p(a),
  from: -0.75,
  digests: {
    result: "0x1d53550385941b379933e67a9abbed55066b2c9b474b3a05f90c58181ca0f026",
    "gradient 0": "0x344eac290dd3035e517ee625fdc0991ab0bc705a10c9a7ab3a7142d650923044",
  },
});
