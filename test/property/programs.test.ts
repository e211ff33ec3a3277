import fc from "fast-check";
import { expect, test } from "vitest";
import { Reader, toHex } from "../../src/encoding/bytes.ts";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { decodeProgram, encodeProgram } from "../../src/repops/programs/program.ts";
import { SEED } from "./seed.ts";

test("no other bytes decode to the same program, and none crash the decoder (spec 3.4)", () => {
  const bytes = encodeProgram(PROGRAMS.exp);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const altered = bytes.slice();
      altered[at] ^= change;
      try {
        const reader = new Reader(altered, "altered");
        const decoded = decodeProgram(reader);
        reader.end();
        expect(toHex(encodeProgram(decoded))).toBe(toHex(altered));
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^VERDE_(PROGRAM|FORMAT)_/);
      }
    }),
    { seed: SEED, numRuns: 3000 },
  );
});
