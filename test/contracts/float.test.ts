import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { floatVectors } from "../../scripts/arithmetic-vectors.ts";
import { canon, fromBits } from "../../src/repops/vf32.ts";
import { exact, rounded, roundedRoot } from "../repops/rational.ts";
import { floatCases, OPERATIONS, type Operation } from "../sweep/cases.ts";
import { runSweep } from "../sweep/run.ts";

const CASES = 20_000;

/** The four that round, a second time in exact integers. */
const EXACT: Readonly<Record<string, (a: number, b: number) => number>> = {
  fadd: (a, b) => rounded(exact(a) + exact(b), 1n, -200),
  fsub: (a, b) => rounded(exact(a) - exact(b), 1n, -200),
  fmul: (a, b) => rounded(exact(a) * exact(b), 1n, -400),
  fdiv: (a, b) => (b === 0 ? Math.sign(a) * 2 ** 127 : rounded(exact(a), exact(b), 0)),
  fsqrt: (a) => roundedRoot(a),
};

test("the float vectors are those of the definition (npm run contracts)", () => {
  expect(readFileSync("test/vectors/floats.json", "utf8") === floatVectors()).toBe(true);
});

describe("the cases that contracts are compared on", () => {
  test.each(Object.keys(EXACT))("%s: the definition agrees with exact rationals", (name) => {
    const operation = OPERATIONS.find((one) => one.name === name) as Operation;
    const cases = floatCases(operation, 6000, 77);
    const words = new DataView(cases.buffer);
    for (let at = 0; at < cases.length; at += 12) {
      const [a, b] = [canon(fromBits(words.getUint32(at))), canon(fromBits(words.getUint32(at + 4)))];
      expect(fromBits(words.getUint32(at + 8)), `${name} ${a} ${b}`).toBe(EXACT[name](a, b));
    }
  });
});

test(`Float32.sol gives the bits of the definition in ${CASES} cases of each operation`, () => {
  const files = OPERATIONS.map((one) => ({ kind: one.code, cases: floatCases(one, CASES, 20261120 + one.code) }));
  runSweep("Float32Sweep", files);
});
