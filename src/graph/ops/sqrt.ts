/** Square roots. */
import { unary } from "../elementwise.ts";

/**
 * The square root, correctly rounded: f32 [...] → f32 [...]. 0 for x ≤ 0; the gradient at 0 is ±2^127.
 * @throws {ShapeError} when x is not f32
 */
export const sqrt = unary("sqrt", {
  number: 10,
  forward: ({ a }) => a.sqrt(),
  gradient: { a: ({ g, y }) => g.mul(0.5).div(y) },
  textbook: (m, a) => m.sqrt(a),
  from: 0.3,
  digests: {
    result: "0x32e5d6d604fd952827d0ec258aa4156647f591fa90f6e0e24f54fc3733860de6",
    "gradient 0": "0x7418d8101eb5bb85dea2cb689054b091235c3dd6fab8da2dfcb6fa00733c7b44",
  },
});
