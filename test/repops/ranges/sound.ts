/** Whether the analysis of ranges is right about a program's values. */
import { expect } from "vitest";
import { traceProgram } from "../../../src/repops/programs/interpret.ts";
import type { Program } from "../../../src/repops/programs/program.ts";
import { analyze } from "../../../src/repops/ranges/analysis.ts";
import type { FloatRange, IntRange, Range } from "../../../src/repops/ranges/values.ts";
import { floats, integers } from "../inputs.ts";

function holds(range: Range, value: number): boolean {
  if ("canBeTrue" in range) return value ? range.canBeTrue : range.canBeFalse;
  if (!("least" in range)) return value >= (range as IntRange).low && value <= (range as IntRange).high;
  const { low, high, least, quantum, zero } = range as FloatRange;
  if (value === 0) return zero;
  const multiple = quantum > 200 || Number.isInteger(value / 2 ** quantum);
  return value >= low && value <= high && Math.abs(value) >= least && multiple;
}

/** Expects every value of a program to lie in its range, for `count` inputs. */
export function expectSound(program: Program, count: number, seed: number): void {
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
