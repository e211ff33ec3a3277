/** The exponential function minus 1. */
import { expm1 as power } from "../../repops/functions/exponential.ts";
import { unary } from "../elementwise.ts";

/**
 * e^x - 1 within 1 ULP; 2^127 above 88.03: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const expm1 = unary("expm1", {
  number: 47,
  forward: ({ a }) => power(a),
  gradient: { a: ({ g, y }) => y.add(1).mul(g) },
  textbook: (m, a) => m.expm1(a),
  digests: {
    result: "0x0eac7318025259e48243c0b168c1560508d76714590019c9abb77381023bfa38",
    "gradient 0": "0x93fb2d77331d87bedcf50b9a7e37c48747bd818a151d67a9e5e37fa6e5bc9526",
  },
});
