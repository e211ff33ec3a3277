/** Products of elements. */
import { binary } from "../elementwise.ts";

/**
 * a · b, rounded to nearest even and clamped to ±2^127; 0 below 2^-125: f32 [...] twice, which broadcast to
 * one shape → f32 of that shape. A number becomes a constant.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const mul = binary("mul", {
  number: 3,
  forward: ({ a, b }) => a.mul(b),
  integers: ({ a, b }) => a.mul(b),
  gradient: { a: ({ g, b }) => g.mul(b), b: ({ g, a }) => g.mul(a) },
  textbook: (_, a, b) => a * b,
  digests: {
    result: "0xedd5acef099c53f676e74597d5d3114bba1e1f87ff28c3a3ee925351e8b4b337",
    "gradient 0": "0xbf76f56503a023be9757a84430d3266ffb0e0cc9f2e85199967a0c40e7dd5ed2",
    "gradient 1": "0x2af6acf49b0b2a2dfcb7209ffa3211e5df1598ca01aef143727651e2e957a892",
    integers: "0xfb79be79e6b35d6377730a7f33cb52c768ee160f67bd91c1b70fd4c1e2432217",
  },
});
