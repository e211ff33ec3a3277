/** Powers of two. */
import { exp2 as power } from "../../repops/functions/exponential.ts";
import { unary } from "../elementwise.ts";

/**
 * 2^x within 1 ULP; 0 below -125, 2^127 from 127 on: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const exp2 = unary("exp2", {
  number: 57,
  forward: ({ a }) => power(a),
  gradient: { a: ({ g, y }) => y.mul(Math.LN2).mul(g) },
  textbook: (m, a) => m.exp(a * Math.LN2),
  digests: {
    result: "0x55511984ce61e5f1d5557942b5bfd35ce5f4753bcadfe54bf72999926a824538",
    "gradient 0": "0x7e8ec3fa2d3da5c00d0860c4f8aabfcce477c1f9a265e29d84f9cd85178b402f",
  },
});
