/** The cosine. */
import { cos as cosine, sin as sine } from "../../repops/functions/trigonometry.ts";
import { unary } from "../elementwise.ts";

/**
 * cos x within 1.27 ULP for |x| ≤ 8192; beyond, x is taken as ±8192: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const cos = unary("cos", {
  number: 15,
  forward: ({ a }) => cosine(a),
  gradient: { a: ({ g, a }) => g.mul(sine(a)).neg() },
  textbook: (m, a) => m.cos(a),
  digests: {
    result: "0x862c38d86e573a132df43d6506b3e1bb0a7156e18bba97d5bf811f362dd9afe8",
    "gradient 0": "0xafda0f9f79ee4155e5b2581f6024dac812e0a66a5ec09d516d2e8cc8844fd039",
  },
});
