import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { threefry2x32 } from "../../../src/repops/functions/threefry.ts";
import { interpret } from "../../../src/repops/programs/interpret.ts";
import { compileJavaScript } from "../../../src/repops/programs/javascript.ts";
import { layout } from "../../../src/repops/programs/program.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";

const SEED = { seed: 20261120, numRuns: 2000 };
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

describe("Threefry-2x32-20", () => {
  test.each([
    { key: [0, 0], counter: [0, 0], words: [0x6b200159, 0x99ba4efe] },
    { key: [-1, -1], counter: [-1, -1], words: [0x1cb996fc, 0xbb002be7] },
    { key: [0x13198a2e, 0x03707344], counter: [0x243f6a88, 0x85a308d3 | 0], words: [0xc4923a9c, 0x483df7a0] },
  ])("gives Random123's published words for the key $key", ({ key, counter, words }) => {
    for (const which of [0, 1] as const) {
      const program = PROGRAMS[`threefry${which}`];
      expect(interpret(program, [...key, ...counter]) >>> 0).toBe(words[which]);
      expect(compileJavaScript(program)(...key, ...counter) >>> 0).toBe(words[which]);
    }
  });

  test("equals its description for any key and counter", () => {
    fc.assert(
      fc.property(word, word, word, word, (...words) => {
        const [k0, k1, c0, c1] = words.map((value) => BigInt(value >>> 0));
        const expected = threefryOracle([k0, k1], [c0, c1]);
        expect(run("threefry0", ...words) >>> 0).toBe(Number(expected[0]));
        expect(run("threefry1", ...words) >>> 0).toBe(Number(expected[1]));
      }),
      { ...SEED, numRuns: 500 },
    );
  });

  test("shares its rounds between both words", () => {
    const both = defineProgram("iiii", (k0, k1, c0, c1) =>
      threefry2x32([k0, k1], [c0, c1], 0).xor(threefry2x32([k0, k1], [c0, c1], 1)),
    );
    expect(layout(both).count).toBeLessThan(layout(PROGRAMS.threefry1).count + 10);
  });
});

describe("numbers from words", () => {
  test("mulHigh is the upper half of the product", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const product = BigInt(a >>> 0) * BigInt(b >>> 0);
        expect(run("mulHigh", a, b) >>> 0).toBe(Number(product >> 32n));
      }),
      SEED,
    );
  });

  test("uniform01 is the upper 24 bits, below 1", () => {
    fc.assert(
      fc.property(word, (bits) => {
        expect(run("uniform01", bits)).toBe((bits >>> 8) / 2 ** 24);
      }),
      SEED,
    );
    expect(run("uniform01", -1)).toBe(1 - 2 ** -24);
  });

  test("normal is Box and Muller's within 2^-22.5 of the radius", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        const radius = Math.sqrt(-2 * Math.log(((a >>> 8) + 1) / 2 ** 24));
        const angle = ((b << 2) >> 10) * Math.PI * 2 ** -23 + (b >>> 30) * (Math.PI / 2);
        expect(Math.abs(run("normal", a, b) - radius * Math.sin(angle))).toBeLessThanOrEqual(radius * 2 ** -22.5);
      }),
      SEED,
    );
    expect(run("normal", -1, 12345)).toBe(0);
    expect(run("normal", 0, 1 << 30)).toBeCloseTo(5.768, 3);
  });

  test("uniform and normal numbers have their distributions' moments", () => {
    const count = 40_000;
    const words = Array.from({ length: count }, (_, i) => [run("threefry0", 1, 2, i, 3), run("threefry1", 1, 2, i, 3)]);
    const moment = (values: number[], power: number): number =>
      values.reduce((sum, value) => sum + value ** power, 0) / count;
    const uniform = words.map(([a]) => run("uniform01", a));
    expect(moment(uniform, 1)).toBeCloseTo(1 / 2, 2);
    expect(moment(uniform, 2)).toBeCloseTo(1 / 3, 2);
    const normals = words.map(([a, b]) => run("normal", a, b));
    for (const [power, expected] of [0, 1, 0, 3].entries())
      expect(Math.abs(moment(normals, power + 1) - expected), `moment ${power + 1}`).toBeLessThan(0.1);
    // Neighbours are independent.
    const products = normals.slice(1).map((value, i) => value * normals[i]);
    expect(Math.abs(products.reduce((a, b) => a + b) / count)).toBeLessThan(0.02);
  });
});
