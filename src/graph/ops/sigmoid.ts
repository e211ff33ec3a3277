/** The logistic function. */
import { sigmoid as logistic } from "../../repops/functions/exponential.ts";
import { float } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * 1/(1 + e^-x) within 1.75 ULP: f32 [...] → f32 [...]. 0 below -86.65.
 * @throws {ShapeError} when x is not f32
 */
export const sigmoid = unary("sigmoid", {
  number: 17,
  forward: ({ a }) => logistic(a),
  gradient: { a: ({ g, y }) => g.mul(y.mul(float(1).sub(y))) },
  textbook: (m, a) => 1 / (1 + m.exp(-a)),
  digests: {
    result: "0x7b7b2d1ade3af1519d4f5d1285f44499f2fd17398a42e7f4b5c2ac0b939eaa80",
    "gradient 0": "0x69070e5f1b72d2c0955dc54b694f70e88c989da0f21db4091a828955e8e3ecf7",
  },
});
