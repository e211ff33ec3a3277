import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { DOT_STEP, SCATTER_STEP, SUM_STEP } from "../../../src/repops/kernels/kernel.ts";
import { layout, type Program } from "../../../src/repops/programs/program.ts";
import { analyze, analyzeFold } from "../../../src/repops/ranges/analysis.ts";
import { type Range, rangedFloat } from "../../../src/repops/ranges/values.ts";
import { expectSound } from "./sound.ts";

const SEED = 20261120;

describe("range analysis", () => {
  for (const [name, program] of Object.entries(PROGRAMS))
    test(`${name}: every value lies in its range`, () => expectSound(program, 3000, SEED));

  test("leaves the inner loops without canon", () => {
    const plain = (program: Program, inputs: (Range | undefined)[]): boolean =>
      analyzeFold(program, 0, inputs).steps.every(
        ({ flush, saturateAbove, saturateBelow, fix }) =>
          !flush && !saturateAbove && !saturateBelow && fix.length === 0,
      );
    expect(plain(DOT_STEP, [undefined, rangedFloat("dot"), rangedFloat("dot")])).toBe(true);
    expect(plain(SUM_STEP, [undefined, rangedFloat("sum")])).toBe(true);
    expect(plain(SCATTER_STEP, [undefined, undefined, undefined, rangedFloat("sum")])).toBe(true);
    expect(plain(SUM_STEP, [undefined, undefined])).toBe(false);
  });

  test("leaves few canons in the functions", () => {
    const canons = (program: Program): number =>
      analyze(program).steps.filter(
        ({ flush, saturateAbove, saturateBelow }) => flush || saturateAbove || saturateBelow,
      ).length;
    for (const name of ["exp", "log", "sigmoid", "tanh", "geluTanh", "rsqrt"] as const) {
      const program = PROGRAMS[name];
      expect(canons(program), name).toBeLessThan(0.2 * (layout(program).count - layout(program).steps));
    }
  });
});
