import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PROGRAMS } from "../../../src/repops/functions/index.ts";
import { traceProgram } from "../../../src/repops/programs/interpret.ts";
import { DOT_STEP, SCATTER_STEP, SUM_STEP } from "../../../src/repops/kernels/kernel.ts";
import { layout, type Program } from "../../../src/repops/programs/program.ts";
import { analyze, analyzeFold } from "../../../src/repops/ranges/analysis.ts";
import { type FloatRange, type IntRange, type Range, rangedFloat } from "../../../src/repops/ranges/values.ts";
import { floats, integers } from "../inputs.ts";
import { programs } from "../kernels.ts";

const SEED = 20261120;

function holds(range: Range, value: number): boolean {
  if ("canBeTrue" in range) return value ? range.canBeTrue : range.canBeFalse;
  if (!("least" in range)) return value >= (range as IntRange).low && value <= (range as IntRange).high;
  const { low, high, least, quantum, zero } = range as FloatRange;
  if (value === 0) return zero;
  const multiple = quantum > 200 || Number.isInteger(value / 2 ** quantum);
  return value >= low && value <= high && Math.abs(value) >= least && multiple;
}

function expectSound(program: Program, count: number, seed: number): void {
  const { values } = analyze(program);
  const [real, whole] = [floats(seed), integers(seed)];
  for (let n = 0; n < count; n++) {
    const inputs = program.inputs.map((type) => (type === "f" ? real() : whole()));
    traceProgram(program, inputs).forEach((value, i) => {
      if (!holds(values[i], value))
        expect.unreachable(`seed ${seed}: value ${i} is ${value}, outside ${JSON.stringify(values[i])} for ${inputs}`);
    });
  }
}

describe("range analysis", () => {
  for (const [name, program] of Object.entries(PROGRAMS))
    test(`${name}: every value lies in its range`, () => expectSound(program, 3000, SEED));

  test("random programs: every value lies in its range", () =>
    fc.assert(
      fc.property(programs, fc.nat(2 ** 30), (program, seed) => expectSound(program, 40, seed)),
      { seed: SEED, numRuns: 1500 },
    ));

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
    for (const name of ["exp", "log", "sigmoid", "tanh", "gelu", "rsqrt"] as const) {
      const program = PROGRAMS[name];
      expect(canons(program), name).toBeLessThan(0.2 * (layout(program).count - layout(program).steps));
    }
  });
});
