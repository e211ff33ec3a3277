import fc from "fast-check";
import { expect, test } from "vitest";
import { bitsOf, canon, canonBits, fromBits, isCanonicalBits } from "../../src/repops/numbers/vf32.ts";
import { SEED } from "./seed.ts";

test("canon maps every pattern to a value, and values to themselves (spec 2)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (bits) => {
      const image = canonBits(bits);
      expect(bitsOf(canon(fromBits(bits)))).toBe(image);
      expect(isCanonicalBits(image)).toBe(true);
      const magnitude = Math.abs(fromBits(image));
      expect(image === 0 || (magnitude >= 2 ** -125 && magnitude <= 2 ** 127)).toBe(true);
    }),
    { seed: SEED, numRuns: 5000 },
  );
});
