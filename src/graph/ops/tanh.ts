/** The hyperbolic tangent. */
import { tanh as tangent } from "../../repops/functions/hyperbolic.ts";
import { float } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * tanh x within 1 ULP: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const tanh = unary("tanh", {
  number: 16,
  forward: ({ a }) => tangent(a),
  gradient: { a: ({ g, y }) => g.mul(float(1).sub(y.mul(y))) },
  textbook: (m, a) => m.tanh(a),
  digests: {
    result: "0xbf38642037844cbecc9042abe7c8fe44a1224a68bdec338e29b9f828e3440610",
    "gradient 0": "0x1b245f9f3e54e5150f15a74e50d1cc365cdd96704127a680bc88b721d3ec13c7",
  },
});
