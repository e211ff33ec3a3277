/** Reciprocal square roots. */
import { rsqrt as reciprocalRoot } from "../../repops/functions/roots.ts";
import { unary } from "../elementwise.ts";

/**
 * 1/sqrt(x) within 0.85 ULP: f32 [...] → f32 [...]. 2^127 for x ≤ 0.
 * @throws {ShapeError} when x is not f32
 */
export const rsqrt = unary("rsqrt", {
  number: 11,
  forward: ({ a }) => reciprocalRoot(a),
  gradient: { a: ({ g, y }) => g.mul(-0.5).mul(y.mul(y).mul(y)) },
  textbook: (m, a) => 1 / m.sqrt(a),
  from: 0.3,
  digests: {
    result: "0x7b2a97e454767dab57d1bfb5848fe8f6e86585369f149b58ae9cd83a103aea5e",
    "gradient 0": "0x1bd79718b32154e803d648f4e7f73dd8fd450a4bf3c80abb0fde699b49195a3e",
  },
});
