/** The sine. */
import { cos as cosine, sin as sine } from "../../repops/functions/trigonometry.ts";
import { unary } from "../elementwise.ts";

/**
 * sin x within 1.27 ULP for |x| ≤ 8192; beyond, x is taken as ±8192: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const sin = unary("sin", {
  number: 14,
  forward: ({ a }) => sine(a),
  gradient: { a: ({ g, a }) => g.mul(cosine(a)) },
  textbook: (m, a) => m.sin(a),
  digests: {
    result: "0x169e16650b7edc6a7a08df41bf1bfd6a871a3032ec066843a89bd6c5512de7b0",
    "gradient 0": "0xd12ee067aba4e9c7a0038d5ea6199e7c72e0dd67082c67b79c9cde45c9840ad1",
  },
});
