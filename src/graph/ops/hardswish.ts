/** A piecewise form of SiLU. */
import { unary } from "../elementwise.ts";

/**
 * x · min(max(x + 3, 0), 6) / 6: f32 [...] → f32 [...]. The gradient is 0 below -3, 1 from 3 on, and
 * x/3 + 1/2 between, as in PyTorch.
 * @throws {ShapeError} when x is not f32
 */
export const hardswish = unary("hardswish", {
  number: 45,
  forward: ({ a }) => a.add(3).max(0).min(6).mul(a).div(6),
  gradient: { a: ({ g, a }) => a.lt(-3).select(0, a.lt(3).select(a.div(3).add(0.5).mul(g), g)) },
  textbook: (m, a) => (a * m.min(m.max(a + 3, 0), 6)) / 6,
  from: -4,
  to: 4,
  digests: {
    result: "0x91a6892a521475a09ca6033b578d0d2d6c9612073276ba3c69419cbe4eb250f5",
    "gradient 0": "0x80d679f841962dd34302ce6eedc0d83ca7d4ea981e5b87b309f9c7f9530055f6",
  },
});
