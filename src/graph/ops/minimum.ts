/** The smaller of two elements. */
import { binary } from "../elementwise.ts";

/**
 * The smaller of a and b: f32 [...] twice, which broadcast to one shape → f32 of that shape. A number becomes
 * a constant. Where both are equal the gradient flows to a.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const minimum = binary("minimum", {
  number: 6,
  forward: ({ a, b }) => a.min(b),
  integers: ({ a, b }) => b.lt(a).selectInt(b, a),
  gradient: { a: ({ g, a, b }) => b.lt(a).select(0, g), b: ({ g, a, b }) => b.lt(a).select(g, 0) },
  textbook: (m, a, b) => m.min(a, b),
  digests: {
    result: "0xb266bf51c6d8def647c707ed540aca87c5c58f825a491234165acc76c227fee8",
    "gradient 0": "0xd3e21c81f166c396b7e6af99b66ec92370b1667b9ab32fea73738e968f639261",
    "gradient 1": "0xbb7a0fa2956575c23df0d2cc4878032bf9fcf72a53a68c621eb7f0d63ff890eb",
    integers: "0x6a4eb767417f06c822f1461885fd0c7d35d70613036663f9047a93de239de4e6",
  },
});
