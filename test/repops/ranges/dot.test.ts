import { describe, expect, test } from "vitest";
import { interpret } from "../../../src/repops/programs/interpret.ts";
import { SUM_STEP } from "../../../src/repops/kernels/kernel.ts";

const { fround } = Math;

describe("the dot range (spec 4.3)", () => {
  test("terms that cancel leave a multiple of 2^-125", () => {
    const least = 2 ** -102;
    const ulp = 2 ** -125;
    for (const [a, b] of [
      [least, least + ulp],
      [least * 1.5, least * 1.5 + ulp],
      [2 * least - ulp, 2 * least],
    ]) {
      expect(interpret(SUM_STEP, [b, -a])).toBe(ulp);
      expect(fround(b - a)).toBe(ulp);
    }
  });

  test("the longest sum of the largest terms stays inside", () => {
    let [sum, plain] = [0, 0];
    for (let k = 0; k < 2 ** 22; k++) plain = fround(plain + 2 ** 102);
    for (let k = 0; k < 1000; k++) sum = interpret(SUM_STEP, [sum, 2 ** 102]);
    expect(plain).toBeLessThanOrEqual(2 ** 126);
    expect(sum).toBe(1000 * 2 ** 102);
  });
});
