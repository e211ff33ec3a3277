/** Sums of elements. */
import { binary } from "../elementwise.ts";

/**
 * a + b, rounded to nearest even and clamped to ±2^127: f32 [...] twice, which broadcast to one shape → f32
 * of that shape. A number becomes a constant.
 *
 *     const y = add(x, 1);
 *
 * @throws {ShapeError} when the shapes do not broadcast, an operand is not f32, or both are numbers
 */
export const add = binary("add", {
  number: 1,
  forward: ({ a, b }) => a.add(b),
  integers: ({ a, b }) => a.add(b),
  gradient: { a: ({ g }) => g, b: ({ g }) => g },
  textbook: (_, a, b) => a + b,
  digests: {
    result: "0xccb3e82e62109b0206739a2a30716d4e88b70615ef6d42736f151614a4d0a52e",
    integers: "0x59fe1c677180a6c808dbeeeb8d681d9e3e49e340721890e824e9c19cf6cb4a3d",
  },
});
