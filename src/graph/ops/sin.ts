/** The sine. */
import { cos as cosine, sin as sine } from "../../repops/functions/trigonometry.ts";
import { unary } from "../elementwise.ts";

/**
 * sin x within 1 ULP, of any x: f32 [...] → f32 [...].
 * @throws {ShapeError} when x is not f32
 */
export const sin = unary("sin", {
  number: 14,
  forward: ({ a }) => sine(a),
  gradient: { a: ({ g, a }) => g.mul(cosine(a)) },
  textbook: (m, a) => m.sin(a),
  digests: {
    result: "0xba3b1fe025a87e69c122a188647e6470d283595ef0cae04e6db55e8a39bf352e",
    "gradient 0": "0xe0c9ad3ec38020288025fae4e46ffd63b54462cba553e191409bd4bee1888868",
  },
});
