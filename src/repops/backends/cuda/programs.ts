/** Scalar programs as PTX over registers. `canon` is left out where it changes nothing (spec 3.5). */
import { bitsOf, MAX_VALUE, MIN_VALUE } from "../../numbers/vf32.ts";
import { INSTRUCTIONS } from "../../programs/instructions.ts";
import { layout, type Program } from "../../programs/program.ts";
import { type Analysis, mayBeNegativeZero, type StepPlan } from "../../ranges/analysis.ts";
import type { Noting } from "../../ranges/telling.ts";
import type { FloatRange, Range } from "../../ranges/values.ts";
import { type Lowering, LOWERINGS, type Site } from "./instructions.ts";
import type { Body } from "./ptx.ts";

/** The registers of a scalar program's values. */
export const bankOf = (type: "f" | "i"): "f" | "r" => (type === "f" ? "f" : "r");

/** The values of a kernel's output in registers, one for each element of a thread, and their known range. */
export interface Known {
  readonly values: readonly string[];
  readonly range: Range | undefined;
}

/** The parts of `canon` that the plan asks for. A NaN is flushed before anything is compared with it. */
function canonical(body: Body, x: string, plan: StepPlan, range: FloatRange): string {
  let value = x;
  if (plan.flush) {
    const [name, of, least] =
      range.low >= 0
        ? ["setp.ge.f32", x, MIN_VALUE]
        : range.high <= 0
          ? ["setp.le.f32", x, -MIN_VALUE]
          : ["setp.ge.f32", body.value("f", "abs.f32", x), MIN_VALUE];
    const isLarge = body.value("p", name, of, body.float(bitsOf(least)));
    value = body.value("f", "selp.f32", value, body.float(0), isLarge);
  }
  if (plan.saturateAbove) value = body.value("f", "min.f32", value, body.float(bitsOf(MAX_VALUE)));
  if (plan.saturateBelow) value = body.value("f", "max.f32", value, body.float(bitsOf(-MAX_VALUE)));
  return value;
}

/** +0 for -0: the only two numbers of which this is the sum. */
const unsigned = (body: Body, x: string): string => body.value("f", "add.rn.f32", x, body.float(0));

/**
 * The registers of all values of a program over `inputs`.
 * @param analysis of the program
 */
function valuesOf(body: Body, program: Program, analysis: Analysis, inputs: readonly string[]): string[] {
  const first = layout(program).steps;
  const known = [...program.inputs.map(() => undefined), ...program.floats, ...program.ints];
  const values = [
    ...inputs,
    ...program.floats.map((bits) => body.float(bits)),
    ...program.ints.map((value) => body.int(value)),
  ];
  program.steps.forEach(({ name, args }, i) => {
    const plan = analysis.steps[i];
    if (plan.copyOf !== undefined) {
      values.push(values[plan.copyOf]);
      return;
    }
    const site: Site = {
      body,
      ranges: args.map((arg) => analysis.values[arg]),
      known: args.map((arg) => known[arg]),
    };
    const [a, b, c] = [0, 1, 2].map((j) => {
      const operand = values[args[j]] ?? "";
      return plan.fix.includes(j) ? unsigned(body, operand) : operand;
    });
    const lower: Lowering = LOWERINGS[name];
    const result = lower(site, a, b, c);
    const isFloat = INSTRUCTIONS[name].result === "f";
    const range = analysis.values[first + i] as FloatRange;
    values.push(isFloat ? canonical(body, result, plan, range) : result);
  });
  return values;
}

/** A flag of what a step notes: a predicate, and its bit of `NOTED`. */
export interface Flag {
  readonly predicate: string;
  readonly bit: number;
}

/** What a program computes: its output, never -0, and what it notes. */
export interface Computed {
  readonly output: string;
  readonly flags: readonly Flag[];
}

/**
 * A program over these registers.
 * @param noting of the program; then `analysis` is that of the longer program
 */
export function compute(
  body: Body,
  program: Program,
  noting: Noting | undefined,
  analysis: Analysis,
  inputs: readonly string[],
): Computed {
  const values = valuesOf(body, noting?.program ?? program, analysis, inputs);
  const number = noting?.output ?? values.length - 1;
  const output = mayBeNegativeZero(analysis, number) ? unsigned(body, values[number]) : values[number];
  const flags = (noting?.flags ?? []).map(({ value, bit }) => ({ predicate: values[value], bit }));
  return { output, flags };
}
