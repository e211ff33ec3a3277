/** The exponential function. */
import { exp as power } from "../../repops/functions/exponential.ts";
import { unary } from "../elementwise.ts";

/**
 * e^x within 1 ULP: f32 [...] → f32 [...]. 0 below -86.65, 2^127 above 88.03.
 * @throws {ShapeError} when x is not f32
 */
export const exp = unary("exp", {
  number: 12,
  forward: ({ a }) => power(a),
  gradient: { a: ({ g, y }) => g.mul(y) },
  textbook: (m, a) => m.exp(a),
  digests: {
    result: "0xcb019414f03e7fc96364954ed6064df140a65f22289d1d8eac3f251ff0dd57ee",
    "gradient 0": "0x8cb06590fb9366ecef5ddfd4c34a50d1ae83eee456e02f2b4df3c98390b24dc5",
  },
});
