/** The logistic function. */
import { sigmoid as logistic } from "../../repops/functions/sigmoid.ts";
import { float } from "../../repops/programs/expressions.ts";
import { unary } from "../elementwise.ts";

/**
 * 1/(1 + e^-x) within 1 ULP: f32 [...] → f32 [...]. 0 below -86.65.
 * @throws {ShapeError} when x is not f32
 */
export const sigmoid = unary("sigmoid", {
  number: 17,
  forward: ({ a }) => logistic(a),
  gradient: { a: ({ g, y }) => g.mul(y.mul(float(1).sub(y))) },
  textbook: (m, a) => 1 / (1 + m.exp(-a)),
  digests: {
    result: "0xecbb6557b8d2188ae6bd2938f269621d3cbb15dc45854caee074ff24eb746bc0",
    "gradient 0": "0x892225b39ac0b2515f087ce48fa3f77b2e490bc2864043f1b31493ac302ed6aa",
  },
});
