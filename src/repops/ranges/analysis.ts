/**
 * The values that each instruction of a program can give, so that a backend can omit `canon` where it changes
 * nothing (spec 3.5).
 *
 * All bounds are binary32 numbers, and every rounded instruction is monotone. So the results at the ends of
 * an interval, rounded as the hardware rounds, bound all results inside of it, and the analysis needs no
 * safety margin.
 */
import { INSTRUCTIONS } from "../programs/instructions.ts";
import { layout, type Program } from "../programs/program.ts";
import { narrowArms } from "./facts.ts";
import { type Rule, RULES } from "./rules.ts";
import {
  constantRange,
  type FloatRange,
  FULL_FLOAT,
  FULL_INT,
  type IntRange,
  normalize,
  type Range,
  zeroRange,
} from "./values.ts";
import { MAX_VALUE, MIN_VALUE } from "../numbers/vf32.ts";

/**
 * What a device has to do at an instruction, so that its register holds the defined value, or a -0 instead of
 * a +0.
 */
export interface StepPlan {
  /** Magnitudes below 2^-125 and NaN have to become +0. */
  flush: boolean;
  /** Results above 2^127 are possible. */
  saturateAbove: boolean;
  /** Results below -2^127 are possible. */
  saturateBelow: boolean;
  /** Operands that may be -0 where the sign of a zero matters: the device first adds +0 to them. */
  fix: readonly number[];
  /** The result always equals this earlier value, so nothing is computed. */
  copyOf?: number;
}

export interface Analysis {
  /** One range for each value of the program. */
  values: readonly Range[];
  /** One plan for each instruction. */
  steps: readonly StepPlan[];
  /** The output's register may hold -0. */
  negativeZero: boolean;
}

/** Whether the register of a value may hold -0. */
export function mayBeNegativeZero({ values }: Pick<Analysis, "values">, value: number): boolean {
  const range = values[value];
  return "negativeZero" in range && range.negativeZero;
}

/** The parts of `canon` that can change a raw result, and the range after them. */
function canonical(raw: FloatRange): {
  range: FloatRange;
  flush: boolean;
  saturateAbove: boolean;
  saturateBelow: boolean;
} {
  const flush = raw.nan === true || raw.least < MIN_VALUE;
  const saturateAbove = raw.high > MAX_VALUE;
  const saturateBelow = raw.low < -MAX_VALUE;
  let low = Math.min(Math.max(raw.low, -MAX_VALUE), MAX_VALUE);
  let high = Math.max(Math.min(raw.high, MAX_VALUE), -MAX_VALUE);
  let { least, quantum, zero, negativeZero } = raw;
  if (flush) {
    if (low < MIN_VALUE && low > -MIN_VALUE) low = 0;
    if (high < MIN_VALUE && high > -MIN_VALUE) high = 0;
    // A NaN becomes 0, wherever the interval is.
    low = Math.min(low, 0);
    high = Math.max(high, 0);
    least = Math.max(least, MIN_VALUE);
    quantum = Math.max(quantum, -148);
    zero = true;
    negativeZero = false;
  }
  // A saturated value becomes 2^127, which is a multiple of every smaller power of two.
  if (saturateAbove || saturateBelow) {
    quantum = Math.min(quantum, 127);
    least = Math.min(least, MAX_VALUE);
  }
  const range = normalize({ low, high, least, quantum, zero, negativeZero });
  return { range: range ?? zeroRange(), flush, saturateAbove, saturateBelow };
}

/**
 * Analyses a program.
 * @param inputs the known ranges of the inputs; absent or `undefined`: any vf32, any integer
 */
export function analyze(program: Program, inputs: readonly (Range | undefined)[] = []): Analysis {
  const at = layout(program);
  const values: Range[] = [
    ...program.inputs.map((type, i): Range => inputs[i] ?? (type === "f" ? FULL_FLOAT : FULL_INT)),
    ...program.floats.map(constantRange),
    ...program.ints.map((value): IntRange => ({ low: value, high: value })),
  ];
  const steps = program.steps.map(({ name, args }, i): StepPlan => {
    const isSelect = name === "fsel" || name === "isel";
    const arms = isSelect ? narrowArms(program, values, at.steps + i) : undefined;
    const copyOf = arms?.copyOf;
    const operands = arms ? [values[args[0]], ...arms.ranges] : args.map((arg) => values[arg]);
    const rule: Rule = RULES[name];
    const { range: raw, fix = [], same } = rule(operands, args);
    const copy = copyOf ?? (same === undefined ? undefined : args[same]);
    if (INSTRUCTIONS[name].result !== "f") {
      values.push(copy === undefined ? raw : values[copy]);
      return { flush: false, saturateAbove: false, saturateBelow: false, fix, copyOf: copy };
    }
    const { range, ...canon } = canonical(raw as FloatRange);
    // For a copy both ranges hold, so the narrower one is used; it may be -0 only if the source may be.
    values.push(
      copy === undefined ? range : { ...range, negativeZero: (values[copy] as FloatRange).negativeZero && range.zero },
    );
    return { ...canon, fix, copyOf: copy };
  });
  return { values, steps, negativeZero: mayBeNegativeZero({ values }, at.count - 1) };
}

/**
 * The range of the accumulator of a fold, whose program's input 0 it is; `undefined`: any vf32.
 *
 * Suppose that a step adds to the accumulator a term t that does not depend on it, with |t| ≤ 2^102 and t a
 * multiple of 2^-125. Then through 2^22 steps from +0 the accumulator stays a multiple of 2^-125 of at most
 * 2^126 (spec 4.3): rounding a sum never makes it a multiple of a smaller power, and 2^22 · 2^102 · (1 +
 * 2^-24)^(2^22) < 2^125. It never becomes -0, because only -0 + -0 gives -0. In any other fold the
 * accumulator can be any vf32.
 */
function accumulatorRange(
  program: Program,
  start: number,
  inputs: readonly (Range | undefined)[],
): FloatRange | undefined {
  const last = program.steps[program.steps.length - 1];
  if (last?.name !== "fadd" || start !== 0) return undefined;
  const term = last.args[0] === 0 ? last.args[1] : last.args[1] === 0 ? last.args[0] : 0;
  if (term === 0 || program.steps.slice(0, -1).some(({ args }) => args.includes(0))) return undefined;
  const { low, high, quantum } = analyze(program, inputs).values[term] as FloatRange;
  if (low < -(2 ** 102) || high > 2 ** 102 || quantum < -125) return undefined;
  return { low: -(2 ** 126), high: 2 ** 126, least: 2 ** -125, quantum: -125, zero: true, negativeZero: false };
}

/**
 * Analyses the program of a fold.
 * @param all the program with more instructions after its own; the program itself
 */
export function analyzeFold(
  program: Program,
  start: number,
  inputs: readonly (Range | undefined)[],
  all: Program = program,
): Analysis {
  const accumulator = accumulatorRange(program, start, inputs);
  return analyze(all, accumulator ? [accumulator, ...inputs.slice(1)] : inputs);
}
