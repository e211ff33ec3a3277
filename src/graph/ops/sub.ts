/** Differences of elements. */
import { binary } from "../elementwise.ts";

/**
 * a - b, rounded to nearest even and clamped to ±2^127: f32 [...] twice, which broadcast to one shape → f32
 * of that shape. A number becomes a constant.
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const sub = binary("sub", {
  number: 2,
  forward: ({ a, b }) => a.sub(b),
  integers: ({ a, b }) => a.sub(b),
  gradient: { a: ({ g }) => g, b: ({ g }) => g.neg() },
  textbook: (_, a, b) => a - b,
  digests: {
    result: "0x8015103fa949da71357d5d6a23a717c102bcdfb3acd03c11cc794a0faa429ec6",
    "gradient 1": "0xc703611f56575fcd6ba5e5fc517158c5a26ef605c88277f50d91965274b8dd9d",
    integers: "0xcceb606f517d3d5e3d41a5eff825fcff94d2adb12dc01d850e1584739811d473",
  },
});
