import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { floatVectors } from "../../scripts/arithmetic-vectors.ts";
import { exactMismatches } from "../../scripts/sweep-floats.ts";
import { floatCases, OPERATIONS } from "../sweep/cases.ts";
import { runSweep } from "../sweep/run.ts";

const CASES = 20_000;

test("the float vectors are generated from the definition (npm run contracts)", () => {
  expect(readFileSync("test/vectors/floats.json", "utf8") === floatVectors()).toBe(true);
});

test("operations that round agree with exact rationals", () => {
  const results = OPERATIONS.map((one) => exactMismatches(one, floatCases(one, 6000, 77 + one.code)));
  expect(results.filter((mismatches) => mismatches !== undefined)).toEqual([0, 0, 0, 0, 0]);
});

test(`Float32.sol gives the bits of the definition in ${CASES} cases of each operation`, () => {
  const files = OPERATIONS.map((one) => ({ kind: one.code, cases: floatCases(one, CASES, 20261120 + one.code) }));
  runSweep("Float32Sweep", files);
});
