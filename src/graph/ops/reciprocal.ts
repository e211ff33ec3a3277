/** The reciprocal. */
import { float } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * 1/x, correctly rounded; 2^127 for x = 0: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const reciprocal = unary("reciprocal", {
  number: 56,
  forward: ({ a }) => float(1).div(a),
  gradient: { a: ({ g, y }) => y.mul(y).mul(g).neg() },
  textbook: (_, a) => 1 / a,
  from: 0.5,
  digests: {
    result: "0x8e8a6e73cf5406a71a7dee1b988b737eb97808d216b975bb0cb94ec6a3c94022",
    "gradient 0": "0xf184d920c16c2f50fbfa188e698aa1e9b9369959eea3520b7005109d6f995944",
  },
});
