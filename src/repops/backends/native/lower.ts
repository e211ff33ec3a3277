/**
 * Scalar programs as C on vectors: one lane for each element, and several vectors at once, so that the
 * processor always has independent work. The text consists of names and numbers that are made here. Floats
 * hold vf32 (or -0 for +0 where the analysis allows it); bools are masks of ones. The words are those of
 * core/vector.h.
 */
import { INSTRUCTIONS, type InstructionName } from "../../programs/instructions.ts";
import { layout, type Program, valueTypes } from "../../programs/program.ts";
import { analyze, analyzeFold, type Analysis, type StepPlan } from "../../ranges/analysis.ts";
import { type FloatRange, FULL_FLOAT, FULL_INT, type IntRange, type Range, rangedFloat } from "../../ranges/values.ts";
import { bitsOf, MAX_VALUE, MIN_VALUE } from "../../numbers/vf32.ts";
import type { LoopShape } from "../../schedule/loop-shape.ts";

/** The C type of a value: bools are masks. */
export const typeName = (type: "f" | "i" | "b"): string => (type === "f" ? "vf" : "vi");

/** What is known of an instruction's operands. */
interface Site {
  ranges: readonly Range[];
  /** The bits of the operands that are constants. */
  known: readonly (number | undefined)[];
}

type Lowering = (site: Site, a: string, b: string, c: string) => string;

const hex = (bits: number): string => `0x${(bits >>> 0).toString(16)}`;
const float = (value: number): string => `FBITS(${hex(bitsOf(value))})`;
const int = (value: number): string => `IBITS(${hex(value)})`;
const floatRange = ({ ranges }: Site, operand: number): FloatRange => ranges[operand] as FloatRange;
const intRange = ({ ranges }: Site, operand: number): IntRange => ranges[operand] as IntRange;

const infix =
  (operator: string): Lowering =>
  (_, a, b) =>
    `${a} ${operator} ${b}`;

/** 2^n for -126 ≤ n ≤ 127, and 0 for n = -127. */
const powerOfTwo = (n: string): string => `(vf)((${n} + ${int(127)}) << 23)`;

/** x·2^n in one or two exact multiplications; see the WASM backend's `scale` for the ends. */
const scale: Lowering = (site, x, n) => {
  const { low, high } = intRange(site, 1);
  const count = site.known[1];
  const inside = low >= -126 && high <= 127;
  if (inside && count !== undefined) return `${x} * ${float(2 ** count)}`;
  if (inside) return `${x} * ${powerOfTwo(n)}`;
  let clamped = n;
  if (low < -253) clamped = `larger_int(${clamped}, ${int(-253)})`;
  if (high > 254) clamped = `smaller_int(${clamped}, ${int(254)})`;
  return `({ vi n_ = ${clamped}, h_ = n_ >> 1; ${x} * ${powerOfTwo("h_")} * ${powerOfTwo("(n_ - h_)")}; })`;
};

const unlessZero = (site: Site, x: string, value: string): string =>
  floatRange(site, 0).zero ? `((${value}) & (${x} != ${float(0)}))` : `(${value})`;

const select: Lowering = (site, mask, x, y) => {
  if (site.known[1] === 0) return `(__typeof__(${y}))(~${mask} & (vi)${y})`;
  if (site.known[2] === 0) return `(__typeof__(${x}))(${mask} & (vi)${x})`;
  return `SELECT(${mask}, ${x}, ${y})`;
};

/** C leaves counts from 32 on undefined. */
const shift =
  (code: (a: string, count: string) => string): Lowering =>
  (site, a, b) => {
    const count = site.known[1];
    if (count === undefined) return code(a, `(${b} & ${int(31)})`);
    return (count & 31) === 0 ? a : code(a, int(count & 31));
  };

/** 1.5·2^23: adding it to an integer of at most 2^22 puts that integer into the low bits of the sum. */
const MAGIC = 12582912;
const isSmallInteger = ({ low, high, quantum }: FloatRange): boolean =>
  quantum >= 0 && low >= -(2 ** 22) && high <= 2 ** 22;
const fromMagic = (x: string): string => `(vi)(${x} + ${float(MAGIC)}) - ${int(bitsOf(MAGIC))}`;

const LOWERINGS = {
  fadd: infix("+"),
  fsub: infix("-"),
  fmul: infix("*"),
  fdiv: infix("/"),
  fsqrt: (_, a) => `square_root(${a})`,
  fneg: (_, a) => `${float(0)} - ${a}`,
  fabs: (_, a) => `magnitude(${a})`,
  fmin: (_, a, b) => `smaller(${a}, ${b})`,
  fmax: (_, a, b) => `larger(${a}, ${b})`,
  ffloor: (_, a) => `floor_of(${a})`,
  fldexp: scale,
  fmant: (site, x) => `(vf)${unlessZero(site, x, `((vi)${x} & ${int(0x807fffff)}) | ${int(0x3f800000)}`)}`,
  fexp: (site, x) => unlessZero(site, x, `(((vi)${x} >> 23) & ${int(255)}) - ${int(127)}`),
  fsel: select,
  feq: infix("=="),
  flt: infix("<"),
  iadd: infix("+"),
  isub: infix("-"),
  imul: infix("*"),
  iand: infix("&"),
  ior: infix("|"),
  ixor: infix("^"),
  ishl: shift((a, count) => `${a} << ${count}`),
  ishr: shift((a, count) => `shifted_right(${a}, ${count})`),
  isar: shift((a, count) => `${a} >> ${count}`),
  irotl: shift((a, count) => `rotated_left(${a}, ${count})`),
  isel: select,
  ieq: infix("=="),
  ilt: infix("<"),
  ult: (_, a, b) => `(vi)((vu)${a} < (vu)${b})`,
  i2f: (_, a) => `float_of_int(${a})`,
  u2f: (site, a) => (intRange(site, 0).low >= 0 ? `float_of_int(${a})` : `float_of_unsigned(${a})`),
  f2i: (site, a) => (isSmallInteger(floatRange(site, 0)) ? fromMagic(a) : `int_of_float(${a})`),
  f2u: (site, a) => {
    const range = floatRange(site, 0);
    return range.low >= 0 && isSmallInteger(range) ? fromMagic(a) : `unsigned_of_float(${a})`;
  },
  fbits: (_, a) => `(vi)${a}`,
  bitsf: (_, a) => `(vf)${a}`,
  band: infix("&"),
  bor: infix("|"),
  bnot: (_, a) => `~${a}`,
} as const satisfies Record<InstructionName, Lowering>;

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
  private readonly prefix: string;
  private readonly analysis: Analysis;
  private readonly first: number;
  private readonly known: (number | undefined)[];
  /** Of whole vectors, only checks whether `canon` would change a result (core/loops.h, CHECKED). */
  checks = false;

  /**
   * @param prefix of the names of its values, where several programs share a function
   */
  constructor(program: Program, analysis: Analysis, prefix: string) {
    const types = valueTypes(program);
    this.program = program;
    this.type = typeName(types[types.length - 1]);
    this.prefix = prefix;
    this.analysis = analysis;
    this.first = layout(program).steps;
    this.known = [...program.inputs.map(() => undefined), ...program.floats, ...program.ints];
  }

  /** How many results may need `canon`. */
  get rounded(): number {
    return this.analysis.steps.filter((plan) => plan.copyOf === undefined && needsCanon(plan)).length;
  }

  /** Values of which only the program's constants are known. */
  begin(): Names {
    const { inputs, floats, ints } = this.program;
    return [
      ...inputs.map(() => undefined),
      ...floats.map((bits) => [`FBITS(${hex(bits)})`]),
      ...ints.map((value) => [int(value)]),
    ];
  }

  /** Statements for every instruction that is not computed yet and whose operands are. */
  ready(names: Names): string[] {
    return this.program.steps.flatMap(({ args }, i) =>
      names[this.first + i] === undefined && args.every((arg) => names[arg] !== undefined) ? this.step(names, i) : [],
    );
  }

  /** Each instruction is written for all vectors before the next, because compilers keep that order. */
  private step(names: Names, index: number): string[] {
    const { name, args } = this.program.steps[index];
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
    const values = names[names.length - 1]!;
    return this.analysis.negativeZero ? values.map((value) => `(${value} + ${float(0)})`) : values;
  }
}

/** The program of a loop; `canon` is left out where the analysis proves that it changes nothing. */
export function lower({ program, fold, args, always }: LoopShape, prefix: string): Lowered {
  if (always) return new Lowered(program, withoutAnalysis(program), prefix);
  if (!fold) return new Lowered(program, analyze(program), prefix);
  const inputs = args.map((arg) =>
    arg.kind === "operand" && arg.clampRange !== "none" ? rangedFloat(arg.clampRange) : undefined,
  );
  return new Lowered(program, analyzeFold(program, fold.startsAtZero ? 0 : 1, [undefined, ...inputs]), prefix);
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
