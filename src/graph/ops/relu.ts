/** The rectified linear unit. */
import { float } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * max(x, 0): f32 [...] → f32 [...]. The gradient at 0 is 0.
 * @throws {ShapeError} when x is not f32
 */
export const relu = unary("relu", {
  number: 18,
  forward: ({ a }) => a.max(0),
  gradient: { a: ({ g, a }) => float(0).lt(a).select(g, 0) },
  textbook: (m, a) => m.max(a, 0),
  digests: {
    result: "0x6b5bb7e4e6825fe087ed6f28eab035896990fbcf6a7fdad4126b2543fb0ead1c",
    "gradient 0": "0xbeefec1da9cbf8c5028d0b09dbb52d0d74e98ff220f15a867af6a349d9a1e512",
  },
});
