import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../../src/repops/functions/index.ts";
import { compileJavaScript } from "../../src/repops/programs/javascript.ts";
import { SEED } from "./seed.ts";

const RUNS = { seed: SEED, numRuns: 2000 };
const word = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, -1, 1, 0xffff, 0x10000, 0x7fffffff, -(2 ** 31)),
);
const run = (name: keyof typeof PROGRAMS, ...inputs: number[]): number => compileJavaScript(PROGRAMS[name])(...inputs);

/** Threefry-2x32-20 from its description, in integers without a width. */
function threefryOracle(key: readonly bigint[], counter: readonly bigint[]): bigint[] {
  const mask = 0xffffffffn;
  const keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1bd11bdan];
  const rotations = [13n, 15n, 26n, 6n, 17n, 29n, 16n, 24n];
  let [x, y] = [(counter[0] + keys[0]) & mask, (counter[1] + keys[1]) & mask];
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8];
    x = (x + y) & mask;
    y = (((y << r) | (y >> (32n - r))) & mask) ^ x;
    if (round % 4 !== 3) continue;
    const injection = (round + 1) / 4;
    x = (x + keys[injection % 3]) & mask;
    y = (y + keys[(injection + 1) % 3] + BigInt(injection)) & mask;
  }
  return [x, y];
}

describe("random numbers (spec 4.6)", () => {
  test("Threefry-2x32-20 equals its description for any key and counter", () => {
    fc.assert(
      fc.property(word, word, word, word, (...words) => {
        const [k0, k1, c0, c1] = words.map((value) => BigInt(value >>> 0));
        const expected = threefryOracle([k0, k1], [c0, c1]);
        expect(run("threefry0", ...words) >>> 0).toBe(Number(expected[0]));
        expect(run("threefry1", ...words) >>> 0).toBe(Number(expected[1]));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });

  test("mulHigh is the upper half of the product", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const product = BigInt(a >>> 0) * BigInt(b >>> 0);
        expect(run("mulHigh", a, b) >>> 0).toBe(Number(product >> 32n));
      }),
      RUNS,
    );
  });

  test("uniform01 is the upper 24 bits, below 1", () => {
    fc.assert(
      fc.property(word, (bits) => {
        expect(run("uniform01", bits)).toBe((bits >>> 8) / 2 ** 24);
      }),
      RUNS,
    );
  });

  test("normal is Box and Muller's within 2^-22.5 of the radius", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const radius = Math.sqrt(-2 * Math.log(((a >>> 8) + 1) / 2 ** 24));
        const angle = ((b << 2) >> 10) * Math.PI * 2 ** -23 + (b >>> 30) * (Math.PI / 2);
        expect(Math.abs(run("normal", a, b) - radius * Math.sin(angle))).toBeLessThanOrEqual(radius * 2 ** -22.5);
      }),
      RUNS,
    );
  });
});
