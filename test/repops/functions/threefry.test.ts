import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { threefry2x32 } from "../../../src/repops/functions/threefry.ts";
import { interpret } from "../../../src/repops/programs/interpret.ts";
import { compileJavaScript } from "../../../src/repops/programs/javascript.ts";
import { layout } from "../../../src/repops/programs/program.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";

const run = (name: keyof typeof PROGRAMS, ...inputs: number[]): number => compileJavaScript(PROGRAMS[name])(...inputs);

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

  test("shares its rounds between both words", () => {
    const both = defineProgram("iiii", (k0, k1, c0, c1) =>
      threefry2x32([k0, k1], [c0, c1], 0).xor(threefry2x32([k0, k1], [c0, c1], 1)),
    );
    expect(layout(both).count).toBeLessThan(layout(PROGRAMS.threefry1).count + 10);
  });
});

describe("numbers from words", () => {
  test("reach their ends", () => {
    expect(run("uniform01", -1)).toBe(1 - 2 ** -24);
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
