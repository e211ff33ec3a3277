/** The cosine. */
import { cos as cosine, sin as sine } from "../../repops/functions/trigonometry.ts";
import { unary } from "../elementwise.ts";

/**
 * cos x within 1 ULP, of any x: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const cos = unary("cos", {
  number: 15,
  forward: ({ a }) => cosine(a),
  gradient: { a: ({ g, a }) => g.mul(sine(a)).neg() },
  textbook: (m, a) => m.cos(a),
  digests: {
    result: "0x1ddb91d4ebe362f942a224724c5649ec10fcadcac849057cb7f193b979716765",
    "gradient 0": "0x8106beff611b9095f495bb92d2cfa56b560b9bb160302f1bbf8f08277ea4c769",
  },
});
