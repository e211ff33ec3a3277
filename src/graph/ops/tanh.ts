/** The hyperbolic tangent. */
import { tanh as tangent } from "../../repops/functions/hyperbolic.ts";
import { float } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * tanh x within 1.34 ULP: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const tanh = unary("tanh", {
  number: 16,
  forward: ({ a }) => tangent(a),
  gradient: { a: ({ g, y }) => g.mul(float(1).sub(y.mul(y))) },
  textbook: (m, a) => m.tanh(a),
  digests: {
    result: "0xa85fbbbf9c61074216e3d0b03351bb78d8bccdd88aab2c0d5f2f8d45c091ecc7",
    "gradient 0": "0xf51b050e71078c6721532069af762d0d9fffee44c60d8a66581382425734f48a",
  },
});
