/**
 * Scalar programs as statements of gpu.js' subset of JavaScript (spec 3.3). Every value is a float; ints are
 * floats of at most 2^24 in magnitude, and bools are 0 and 1. An instruction on ints that can leave that
 * range, or that uses bits, has no statement. Then the program is not listed.
 *
 * A compiler could fuse a product with the sum after it, take a common factor out of a sum, or cancel terms
 * (Mesa's does the last two). To prevent this, every rounded result is compared with `most`, a number that is
 * only known at run time. The comparison never takes effect.
 */
import type { InstructionName } from "../../programs/instructions.ts";
import { layout, type Program, valueTypes } from "../../programs/program.ts";
import type { Analysis, StepPlan } from "../../ranges/analysis.ts";
import type { IntRange, Range } from "../../ranges/values.ts";
import { fromBits } from "../../numbers/vf32.ts";

/** Whole numbers up to this one are exact in binary32. */
export const MAX_INT = 2 ** 24;

interface Operand {
  name: string;
  range: Range;
}

/** A statement that declares `$`, or `undefined` if there is none. */
type Lowering = (operands: readonly Operand[], plan: StepPlan) => string | undefined;

export const isExactInt = ({ low, high }: IntRange): boolean => low >= -MAX_INT && high <= MAX_INT;
const guarded = ({ flush, saturateAbove, saturateBelow }: StepPlan): boolean => flush || saturateAbove || saturateBelow;
/** A result that a compiler can't see through. */
const opaque = (expression: string): string => `let $ = ${expression}; if ($ > most) { $ = most; }`;
/**
 * A whole number that is a float in every mode. gpu.js takes a difference of two literals for an integer, and
 * makes an integer of the float beside it: of one of 2^31 and more WebGL makes -2^31. `one` is no literal.
 */
export const whole = (x: number): string => (x < 0 ? `(one - ${1 - x}.0)` : `${x}.0`);

const simple =
  (write: (...names: string[]) => string): Lowering =>
  (operands) =>
    `let $ = ${write(...operands.map(({ name }) => name))};`;
const choice =
  (
    condition: (...names: string[]) => string,
    otherwise: (...names: string[]) => string,
    then: (...names: string[]) => string,
  ): Lowering =>
  (operands) => {
    const names = operands.map(({ name }) => name);
    return `let $ = ${otherwise(...names)}; if (${condition(...names)}) { $ = ${then(...names)}; }`;
  };
const relation = (operator: string): Lowering =>
  choice(
    (a, b) => `${a} ${operator} ${b}`,
    () => "0.0",
    () => "1.0",
  );
const none: Lowering = () => undefined;

/** A shift by a known count. */
const shift =
  (write: (a: string, power: number) => string, accepts: (range: IntRange) => boolean = () => true): Lowering =>
  ([a, b]) => {
    const { low, high } = b.range as IntRange;
    return low === high && accepts(a.range as IntRange) ? `let $ = ${write(a.name, 2 ** (low & 31))};` : undefined;
  };
const floorOfQuotient = (a: string, power: number): string => `Math.floor(${a} * ${exactInverse(power)})`;
/** 2^-n as a decimal with all its digits. */
const exactInverse = (power: number): string => (power === 1 ? "1.0" : (1 / power).toFixed(31 - Math.clz32(power)));

/** The lowest bits of a whole number of either sign. */
const mask: Lowering = ([a, b]) => {
  for (const [value, ones] of [
    [a, b.range as IntRange],
    [b, a.range as IntRange],
  ] as const) {
    const power = ones.low + 1;
    if (ones.low === ones.high && ones.low > 0 && (power & ones.low) === 0 && power <= MAX_INT)
      return `let $ = ${value.name} - ${floorOfQuotient(value.name, power)} * ${whole(power)};`;
  }
  return undefined;
};

/**
 * A value as a float: gpu.js takes a literal for an integer, and then the parameter of a function too, or
 * what is computed of two.
 */
const float = ({ name }: { name: string }): string => {
  if (!/^\d+\.0$/.test(name)) return name;
  return { "0.0": "(tiny - tiny)", "1.0": "one" }[name] ?? `(one * ${name})`;
};
const isLiteral = ({ name }: { name: string }): boolean => float({ name }) !== name;

const LOWERINGS = {
  fadd: ([a, b], plan) =>
    guarded(plan)
      ? `let $ = total(${float(a)}, ${float(b)}, tiny, most);`
      : opaque(`Math.fround(${a.name} + ${b.name})`),
  fsub: ([a, b], plan) =>
    guarded(plan)
      ? `let $ = total(${float(a)}, -${float(b)}, tiny, most);`
      : opaque(`Math.fround(${a.name} - ${b.name})`),
  fmul: ([a, b], plan) => {
    if (plan.saturateAbove || plan.saturateBelow)
      return `let $ = product(${float(a)}, ${float(b)}, tiny, most, up, down);`;
    const product = opaque(`Math.fround(${a.name} * ${b.name})`);
    return plan.flush ? `${product} if (Math.abs($) < tiny) { $ = 0.0; }` : product;
  },
  fdiv: ([a, b]) => `let $ = quotient(${float(a)}, ${float(b)}, tiny, most);`,
  fsqrt: simple((a) => `root(${a})`),
  fneg: simple((a) => `0.0 - ${a}`),
  fabs: simple((a) => `Math.abs(${a})`),
  fmin: choice(
    (a, b) => `${b} < ${a}`,
    (a) => a,
    (_, b) => b,
  ),
  fmax: choice(
    (a, b) => `${a} < ${b}`,
    (a) => a,
    (_, b) => b,
  ),
  ffloor: simple((a) => `Math.floor(${a})`),
  fldexp: ([a, n], plan) => {
    const { low, high } = n.range as IntRange;
    const product = !guarded(plan) && low >= -126 && high <= 127;
    return product ? opaque(`${a.name} * power(${float(n)})`) : `let $ = scaled(${float(a)}, ${float(n)}, most);`;
  },
  fmant: simple((a) => `mantissa(${a})`),
  fexp: simple((a) => `exponent(${a})`),
  fsel: choice(
    (c) => `${c} > 0.5`,
    (_c, _x, y) => y,
    (_c, x) => x,
  ),
  feq: relation("==="),
  flt: relation("<"),
  iadd: ([a, b]) => opaque(`${a.name} + ${b.name}`),
  isub: ([a, b]) => opaque(`${a.name} - ${b.name}`),
  imul: ([a, b]) => opaque(`${a.name} * ${b.name}`),
  iand: mask,
  ior: none,
  ixor: none,
  ishl: shift((a, power) => `${a} * ${whole(power)}`),
  ishr: shift(floorOfQuotient, ({ low }) => low >= 0),
  isar: shift(floorOfQuotient),
  irotl: none,
  isel: choice(
    (c) => `${c} > 0.5`,
    (_c, _x, y) => y,
    (_c, x) => x,
  ),
  ieq: relation("==="),
  ilt: relation("<"),
  ult: (operands, plan) =>
    operands.every(({ range }) => (range as IntRange).low >= 0) ? relation("<")(operands, plan) : undefined,
  i2f: simple((a) => a),
  u2f: ([a]) => ((a.range as IntRange).low >= 0 ? `let $ = ${a.name};` : undefined),
  f2i: ([a]) => `let $ = Math.floor(Math.abs(${a.name})); if (${a.name} < 0.0) { $ = 0.0 - $; }`,
  f2u: ([a]) => `let $ = Math.floor(Math.abs(${a.name})); if (${a.name} < 0.0) { $ = 0.0; }`,
  fbits: none,
  bitsf: none,
  band: simple((a, b) => `${a} * ${b}`),
  bor: choice(
    (_, b) => `${b} > 0.5`,
    (a) => a,
    (_, b) => b,
  ),
  bnot: simple((a) => `1.0 - ${a}`),
} as const satisfies Record<InstructionName, Lowering>;

/** Numbers that a kernel gets at run time, by name. */
export type Scalars = Map<string, number>;

/** A constant in the kernel's source: small whole numbers as literals, others as scalars. */
export function constant(value: number, scalars: Scalars): string {
  if (Number.isInteger(value) && Math.abs(value) <= 2 ** 20) return whole(value);
  for (const [name, known] of scalars) if (known === value && name.startsWith("c")) return name;
  const name = `c${scalars.size}`;
  scalars.set(name, value);
  return name;
}

/**
 * A program as statements over `inputs`, which are names of values, and the name of its result; `undefined`
 * if it can't be written.
 * @param scalars the constants in use; the function adds to it
 */
export function programStatements(
  program: Program,
  analysis: Analysis,
  inputs: readonly string[],
  scalars: Scalars,
): { statements: string[]; result: string } | undefined {
  const at = layout(program);
  const types = valueTypes(program);
  if (types.some((type, i) => type === "i" && !isExactInt(analysis.values[i] as IntRange))) return undefined;
  const names = [
    ...inputs,
    ...program.floats.map((bits) => constant(fromBits(bits), scalars)),
    ...program.ints.map((value) => constant(value, scalars)),
  ];
  const statements: string[] = [];
  for (const [i, { name, args }] of program.steps.entries()) {
    const plan = analysis.steps[i];
    if (plan.copyOf !== undefined) {
      names.push(names[plan.copyOf]);
      continue;
    }
    const known = args.map((arg) => ({ name: names[arg], range: analysis.values[arg] }));
    const operands = known.every(isLiteral) ? known.map((one) => ({ ...one, name: float(one) })) : known;
    const lower: Lowering = LOWERINGS[name];
    const statement = lower(operands, plan);
    if (statement === undefined) return undefined;
    const result = `v${at.steps + i}`;
    statements.push(statement.replaceAll("$", result));
    names.push(result);
  }
  return { statements, result: names[names.length - 1] };
}
