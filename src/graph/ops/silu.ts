/** The sigmoid linear unit. */
import { siluDerivative, silu as unit } from "../../repops/functions/gelu.ts";
import { unary } from "../elementwise.ts";

/**
 * x · sigmoid(x), also called swish: f32 [...] → f32 [...]. Within 2.35 ULP for x ≥ -86.6; below, the result
 * soon becomes 0.
 * @throws {ShapeError} when x is not f32
 */
export const silu = unary("silu", {
  number: 20,
  forward: ({ a }) => unit(a),
  gradient: { a: ({ g, a }) => g.mul(siluDerivative(a)) },
  textbook: (m, a) => a / (1 + m.exp(-a)),
  digests: {
    result: "0x6461767a4f65c66ed6088fa95c18b5618512039557c7cdcb4b27413322f87ca8",
    "gradient 0": "0x34fe57c075a6b52c10cbc2193dae939937a21c29b0b24626bb36521066454415",
  },
});
