/**
 * What a map or a fold notes of its scalar steps (spec 4.7): results that have reached 2^127 though no
 * operand had, and operands outside of a function's domain. Every backend derives this from the kernel alone,
 * so all note the same. Where the analysis proves that a step has nothing to note, its code stays as it is.
 */
import { domainOf } from "../functions/domains.ts";
import { type FoldKernel, type MapKernel, NOTED } from "../kernels/kernel.ts";
import { bitsOf, fromBits, MAX_VALUE } from "../numbers/vf32.ts";
import { Bool, type Expression, extendProgram, Float } from "../programs/expressions.ts";
import type { Telling } from "../programs/javascript.ts";
import { layout, outputType, type Program, programKey } from "../programs/program.ts";
import { analyze, analyzeFold, type Analysis } from "./analysis.ts";
import { type FloatRange, FULL_FLOAT, type Range, rangedFloat } from "./values.ts";

/** A program that tells what there is to note. */
export interface Noting extends Telling {
  /** How many of its instructions are the program's own; those that tell follow. */
  readonly own: number;
  /**
   * Whether results that need no `canon`, and are not zero or saturated, prove that there is nothing to note.
   */
  readonly checked: boolean;
}

/** What decides: the program, the ranges of its inputs, and whether it is a fold's. */
interface Step {
  program: Program;
  /** `undefined`: any vf32, any integer. */
  inputs: readonly (Range | undefined)[];
  /** The start of a fold, whose accumulator is input 0. */
  start?: number;
}

/** The largest vf32 that is not saturated. */
const BELOW_MAX = fromBits(bitsOf(MAX_VALUE) - 1);
const UNSATURATED: FloatRange = { ...FULL_FLOAT, low: -BELOW_MAX, high: BELOW_MAX };

const found = new Map<string, Noting | undefined>();

/** What a step of these inputs notes; `undefined`: nothing. */
export function notingOf(step: Step): Noting | undefined {
  const key = JSON.stringify([programKey(step.program), step.inputs, step.start === undefined ? "" : step.start === 0]);
  if (!found.has(key)) found.set(key, derive(step));
  return found.get(key);
}

/** What a kernel's steps note. */
export function notingOfKernel(kernel: MapKernel | FoldKernel): Noting | undefined {
  const inputs = kernel.args.map((arg) =>
    arg.kind === "operand" && arg.clampRange !== "none" ? rangedFloat(arg.clampRange) : undefined,
  );
  return notingOf({
    program: kernel.program,
    inputs: kernel.kind === "fold" ? [undefined, ...inputs] : inputs,
    ...(kernel.kind === "fold" && { start: kernel.start }),
  });
}

function derive({ program, inputs, start }: Step): Noting | undefined {
  const limited = program.inputs.map((type, i) => inputs[i] ?? (type === "f" ? UNSATURATED : undefined));
  const analysis = start === undefined ? analyze(program, limited) : analyzeFold(program, start, limited);
  const output = layout(program).count - 1;
  const isFloat = outputType(program) === "f";
  const domain = domainOf(program);
  const outside = domain ? true : isFloat && hasBadOperand(program, analysis);
  const reaches =
    isFloat &&
    isSaturated(analysis.values[output]) &&
    (domain ? analysis.values.some((range, value) => isMade(program, range, value)) : !isChosen(program));
  if (!outside && !reaches) return undefined;
  const bits: number[] = [];
  const extended = extendProgram(program, (values) => {
    const bad = outside
      ? domain
        ? domain(...(values.slice(0, program.inputs.length) as never[]))
        : badOperand(program, values)
      : undefined;
    const told: Bool[] = [];
    if (bad) {
      bits.push(NOTED.domain);
      told.push(bad);
    }
    if (reaches) {
      bits.push(NOTED.saturated);
      const open = values.slice(0, program.inputs.length).filter((value, i) => value instanceof Float && !inputs[i]);
      const hit = (values[output] as Float).abs().eq(MAX_VALUE);
      const clear = (open as Float[]).reduce((all, input) => all.and(input.abs().lt(MAX_VALUE)), hit);
      told.push(bad ? clear.and(bad.not()) : clear);
    }
    return told;
  });
  return {
    program: extended.program,
    output: extended.output,
    flags: extended.more.map((value, i) => ({ value, bit: bits[i] })),
    own: program.steps.length,
    checked: domain === undefined && analysis.values.every((range, value) => isFound(program, analysis, range, value)),
  };
}

const isSaturated = (range: Range): boolean =>
  "quantum" in range && (range.high >= MAX_VALUE || range.low <= -MAX_VALUE);

const MOVES: ReadonlySet<string> = new Set(["fsel", "fmin", "fmax", "fneg", "fabs"]);

/** Whether the output can be ±2^127 because the program has it as a constant, and chooses it. */
function isChosen(program: Program): boolean {
  const at = layout(program);
  const visit = (value: number): boolean => {
    if (value >= at.floats && value < at.ints)
      return Math.abs(fromBits(program.floats[value - at.floats])) === MAX_VALUE;
    const step = program.steps[value - at.steps];
    return step !== undefined && MOVES.has(step.name) && step.args.some(visit);
  };
  return visit(at.count - 1);
}

/** Whether the last instruction divides by what can be 0, or takes the root of what can be negative. */
function hasBadOperand({ steps }: Program, { values }: Analysis): boolean {
  const last = steps[steps.length - 1];
  if (last?.name === "fdiv") return (values[last.args[1]] as FloatRange).zero;
  return last?.name === "fsqrt" && (values[last.args[0]] as FloatRange).low < 0;
}

function badOperand({ steps }: Program, values: readonly Expression[]): Bool {
  const { name, args } = steps[steps.length - 1];
  return name === "fdiv" ? (values[args[1]] as Float).eq(0) : (values[args[0]] as Float).lt(0);
}

/** Whether an instruction makes a saturated value of others. */
function isMade(program: Program, range: Range, value: number): boolean {
  const index = value - layout(program).steps;
  return index >= 0 && isSaturated(range) && !MOVES.has(program.steps[index].name);
}

/** Whether a saturated value is one that needs `canon`, or has come from an earlier one. */
function isFound(program: Program, { steps }: Analysis, range: Range, value: number): boolean {
  if (!isMade(program, range, value)) return true;
  const { flush, saturateAbove, saturateBelow, copyOf } = steps[value - layout(program).steps];
  return copyOf !== undefined || flush || saturateAbove || saturateBelow;
}
