/** Squares. */
import { unary } from "../elementwise.ts";

/**
 * x · x, clamped to 2^127: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const square = unary("square", {
  number: 9,
  forward: ({ a }) => a.mul(a),
  gradient: { a: ({ g, a }) => g.mul(a).mul(2) },
  textbook: (_, a) => a * a,
  digests: {
    result: "0x1ff81a803f4c24353ca248de835a2c6972d46e24696939c76febd698c0a337ef",
    "gradient 0": "0xa59f1a9583bb659fbe5f6647d839159d3bea763f77bff613227a5c7859fa3f02",
  },
});
