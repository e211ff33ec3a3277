/** The greater of two elements. */
import { binary } from "../elementwise.ts";

/**
 * The greater of a and b: f32 [...] twice, which broadcast to one shape → f32 of that shape. A number becomes
 * a constant. Where both are equal the gradient flows to a.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const maximum = binary("maximum", {
  number: 5,
  forward: ({ a, b }) => a.max(b),
  integers: ({ a, b }) => a.lt(b).selectInt(b, a),
  gradient: { a: ({ g, a, b }) => a.lt(b).select(0, g), b: ({ g, a, b }) => a.lt(b).select(g, 0) },
  textbook: (m, a, b) => m.max(a, b),
  digests: {
    result: "0x8c621f6ce94200270ebb67f13189ef90b085c3f7cc073e4afff03cf36fe3dc31",
    "gradient 0": "0xbb7a0fa2956575c23df0d2cc4878032bf9fcf72a53a68c621eb7f0d63ff890eb",
    "gradient 1": "0xd3e21c81f166c396b7e6af99b66ec92370b1667b9ab32fea73738e968f639261",
    integers: "0x08fd98d1b1b7bbadbf662d420f662979774c704efed3c51fd99120479e189635",
  },
});
