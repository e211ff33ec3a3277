/** The arctangent. */
import { atan as arctangent } from "../../repops/functions/arctangent.ts";
import { unary } from "../elementwise.ts";

/**
 * atan x within 1 ULP: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const atan = unary("atan", {
  number: 48,
  forward: ({ a }) => arctangent(a),
  gradient: { a: ({ g, a }) => g.div(a.mul(a).add(1)) },
  textbook: (m, a) => m.atan(a),
  digests: {
    result: "0xe4e711d6e4301cf3359c8dadb4563c4876fc8211f0fb527fa26590d2ccc9ca97",
    "gradient 0": "0x5bfeb24903be6a357c19a2f6bf8d2a6183f4e19490e1a8bf4e259e8c30eab838",
  },
});
