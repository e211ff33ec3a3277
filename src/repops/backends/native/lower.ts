/**
 * Scalar programs as C on vectors: one lane for each element, and several vectors at once, so that the
 * processor always has independent work. The text consists of names and numbers that are made here. Floats
 * hold vf32 (or -0 for +0 where the analysis allows it); bools are masks of ones. The words are those of
 * core/vector.h.
 */
import { INSTRUCTIONS } from "../../programs/instructions.ts";
import { layout, type Program, valueTypes } from "../../programs/program.ts";
import { analyze, analyzeFold, type Analysis, mayBeNegativeZero, type StepPlan } from "../../ranges/analysis.ts";
import { type Noting, notingOf } from "../../ranges/telling.ts";
import { type FloatRange, FULL_FLOAT, FULL_INT, type Range, rangedFloat } from "../../ranges/values.ts";
import { MAX_VALUE, MIN_VALUE } from "../../numbers/vf32.ts";
import type { LoopShape } from "../../schedule/loop-shape.ts";
import { float, hex, int, type Lowering, LOWERINGS } from "./instructions.ts";

/** The C type of a value: bools are masks. */
export const typeName = (type: "f" | "i" | "b"): string => (type === "f" ? "vf" : "vi");

const needsCanon = ({ flush, saturateAbove, saturateBelow }: StepPlan): boolean =>
  flush || saturateAbove || saturateBelow;

/** The parts of `canon` that the plan asks for, around a value that has a name. */
function canonical(x: string, plan: StepPlan, range: FloatRange): string {
  let value = x;
  if (plan.flush) {
    const large =
      range.low >= 0
        ? `${x} >= ${float(MIN_VALUE)}`
        : range.high <= 0
          ? `${x} <= ${float(-MIN_VALUE)}`
          : `magnitude(${x}) >= ${float(MIN_VALUE)}`;
    value = `(vf)((vi)${x} & (${large}))`;
  }
  if (plan.saturateAbove) value = `smaller(${value}, ${float(MAX_VALUE)})`;
  if (plan.saturateBelow) value = `larger(${value}, ${float(-MAX_VALUE)})`;
  return value;
}

/**
 * The names of the computed values of a program: one for a value that all elements share, else one for each
 * vector of elements.
 */
export type Names = (readonly string[] | undefined)[];

/** A program with its analysis, ready to be written in parts. */
export class Lowered {
  readonly program: Program;
  /** The type of the output. */
  readonly type: string;
  /** What its steps note; absent: nothing. */
  readonly noting: Noting | undefined;
  /** The program, and the instructions that tell. */
  private readonly all: Program;
  /** The number of the output among the values of `all`. */
  private readonly result: number;
  private readonly prefix: string;
  private readonly analysis: Analysis;
  private readonly first: number;
  private readonly known: (number | undefined)[];
  /** Of whole vectors, only checks whether `canon` would change a result (core/loops.h, CHECKED). */
  checks = false;

  /**
   * @param analysis of the program, and of the instructions that tell
   * @param prefix of the names of its values, where several programs share a function
   */
  constructor(program: Program, noting: Noting | undefined, analysis: Analysis, prefix: string) {
    this.program = program;
    this.noting = noting;
    this.all = noting?.program ?? program;
    const types = valueTypes(this.all);
    this.result = noting?.output ?? types.length - 1;
    this.type = typeName(types[this.result]);
    this.prefix = prefix;
    this.analysis = analysis;
    this.first = layout(this.all).steps;
    this.known = [...this.all.inputs.map(() => undefined), ...this.all.floats, ...this.all.ints];
  }

  /** How many results may need `canon`. */
  get rounded(): number {
    return this.analysis.steps.filter((plan) => plan.copyOf === undefined && needsCanon(plan)).length;
  }

  /** Values of which only the program's constants are known. */
  begin(): Names {
    const { inputs, floats, ints } = this.all;
    return [
      ...inputs.map(() => undefined),
      ...floats.map((bits) => [`FBITS(${hex(bits)})`]),
      ...ints.map((value) => [int(value)]),
    ];
  }

  /** Statements for every instruction that is not computed yet and whose operands are. */
  ready(names: Names): string[] {
    const steps = this.checks ? this.all.steps.slice(0, this.program.steps.length) : this.all.steps;
    return steps.flatMap(({ args }, i) =>
      names[this.first + i] === undefined && args.every((arg) => names[arg] !== undefined) ? this.step(names, i) : [],
    );
  }

  /** Each instruction is written for all vectors before the next, because compilers keep that order. */
  private step(names: Names, index: number): string[] {
    const { name, args } = this.all.steps[index];
    const value = this.first + index;
    const plan = this.analysis.steps[index];
    if (plan.copyOf !== undefined) {
      names[value] = names[plan.copyOf];
      return [];
    }
    const site = { ranges: args.map((arg) => this.analysis.values[arg]), known: args.map((arg) => this.known[arg]) };
    const width = Math.max(...args.map((arg) => names[arg]!.length));
    const type = typeName(INSTRUCTIONS[name].result);
    const own = Array.from({ length: width }, (_, vector) => `v${this.prefix}${value}_${vector}`);
    const lower: Lowering = LOWERINGS[name];
    const lines = own.map((to, vector) => {
      const [a, b, c] = args.map((arg, j) => {
        const operand = names[arg]!.length === 1 ? names[arg]![0] : names[arg]![vector];
        return plan.fix.includes(j) ? `(${operand} + ${float(0)})` : operand;
      });
      return `${type} ${to} = ${lower(site, a, b, c)};`;
    });
    names[value] = own;
    if (type === "vi" || !needsCanon(plan)) return lines;
    if (this.checks) return [...lines, ...own.map((to, vector) => `CHECK(${vector % 2}, ${to})`)];
    const range = this.analysis.values[value] as FloatRange;
    return [...lines, ...own.map((to) => `${to} = ${canonical(to, plan, range)};`)];
  }

  /** The output, never -0. */
  output(names: Names): readonly string[] {
    const values = names[this.result]!;
    return mayBeNegativeZero(this.analysis, this.result) ? values.map((value) => `(${value} + ${float(0)})`) : values;
  }

  /** The masks of what its steps note, and the bits that they stand for; none where it only checks. */
  notes(names: Names): { bit: number; masks: readonly string[] }[] {
    if (this.checks) return [];
    return (this.noting?.flags ?? []).map(({ value, bit }) => ({ bit, masks: names[value]! }));
  }
}

/** The program of a loop; `canon` is left out where the analysis proves that it changes nothing. */
export function lower({ program, fold, args, always }: LoopShape, prefix: string): Lowered {
  const ranges = args.map((arg) =>
    arg.kind === "operand" && arg.clampRange !== "none" ? rangedFloat(arg.clampRange) : undefined,
  );
  const start = fold?.startsAtZero ? 0 : 1;
  const inputs = fold ? [undefined, ...ranges] : program.inputs.map(() => undefined);
  const noting = notingOf({ program, inputs, ...(fold && { start }) });
  const all = noting?.program ?? program;
  if (always) return new Lowered(program, noting, withoutAnalysis(all), prefix);
  const analysis = fold ? analyzeFold(program, start, inputs, all) : analyze(all, inputs);
  return new Lowered(program, noting, analysis, prefix);
}

/** Applies all of `canon` after every float instruction. Tests compare the analysis with this. */
function withoutAnalysis(program: Program): Analysis {
  const values = valueTypes(program).map((type): Range => {
    if (type === "b") return { canBeTrue: true, canBeFalse: true };
    return type === "f" ? FULL_FLOAT : FULL_INT;
  });
  const steps = program.steps.map((): StepPlan => ({ flush: true, saturateAbove: true, saturateBelow: true, fix: [] }));
  return { values, steps, negativeZero: false };
}
