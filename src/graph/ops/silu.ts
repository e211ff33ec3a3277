/** The sigmoid linear unit. */
import { siluDerivative, silu as unit } from "../../repops/functions/silu.ts";
import { unary } from "../elementwise.ts";

/**
 * x · sigmoid(x), also called swish, within 2 ULP: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const silu = unary("silu", {
  number: 20,
  forward: ({ a }) => unit(a),
  gradient: { a: ({ g, a }) => g.mul(siluDerivative(a)) },
  textbook: (m, a) => a / (1 + m.exp(-a)),
  digests: {
    result: "0xd15c96bd6d2984eec1448c86f70d6016a907762b11a8163ebf6cf08af360f05a",
    "gradient 0": "0x34fe57c075a6b52c10cbc2193dae939937a21c29b0b24626bb36521066454415",
  },
});
