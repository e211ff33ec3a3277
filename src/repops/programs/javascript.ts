/**
 * Scalar programs as JavaScript functions: the same table as the interpreter, one expression for each
 * instruction.
 */
import type { InstructionName } from "./instructions.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { layout, type Program, programKey } from "./program.ts";
import { fromBits } from "../numbers/vf32.ts";

/** An instruction as an expression over its operands. `canon` is applied to float results. */
const EXPRESSIONS = {
  fadd: (a, b) => `fround(${a} + ${b})`,
  fsub: (a, b) => `fround(${a} - ${b})`,
  fmul: (a, b) => `fround(${a} * ${b})`,
  fdiv: (a, b) => `fround(${a} / ${b})`,
  fsqrt: (a) => `fround(Math.sqrt(${a}))`,
  fneg: (a) => `-${a}`,
  fabs: (a) => `Math.abs(${a})`,
  fmin: (a, b) => `(${b} < ${a} ? ${b} : ${a})`,
  fmax: (a, b) => `(${a} < ${b} ? ${b} : ${a})`,
  ffloor: (a) => `Math.floor(${a})`,
  fldexp: (a, b) => `table.fldexp.evaluate(${a}, ${b})`,
  fmant: (a) => `table.fmant.evaluate(${a})`,
  fexp: (a) => `table.fexp.evaluate(${a})`,
  fsel: (a, b, c) => `(${a} ? ${b} : ${c})`,
  feq: (a, b) => `${a} === ${b}`,
  flt: (a, b) => `${a} < ${b}`,
  iadd: (a, b) => `(${a} + ${b}) | 0`,
  isub: (a, b) => `(${a} - ${b}) | 0`,
  imul: (a, b) => `Math.imul(${a}, ${b})`,
  iand: (a, b) => `${a} & ${b}`,
  ior: (a, b) => `${a} | ${b}`,
  ixor: (a, b) => `${a} ^ ${b}`,
  ishl: (a, b) => `${a} << ${b}`,
  ishr: (a, b) => `(${a} >>> ${b}) | 0`,
  isar: (a, b) => `${a} >> ${b}`,
  irotl: (a, b) => `(${a} << ${b}) | (${a} >>> -${b})`,
  isel: (a, b, c) => `(${a} ? ${b} : ${c})`,
  ieq: (a, b) => `${a} === ${b}`,
  ilt: (a, b) => `${a} < ${b}`,
  ult: (a, b) => `(${a} >>> 0) < (${b} >>> 0)`,
  i2f: (a) => `fround(${a})`,
  u2f: (a) => `fround(${a} >>> 0)`,
  f2i: (a) => `table.f2i.evaluate(${a})`,
  f2u: (a) => `table.f2u.evaluate(${a})`,
  fbits: (a) => `table.fbits.evaluate(${a})`,
  bitsf: (a) => `table.bitsf.evaluate(${a})`,
  band: (a, b) => `${a} && ${b}`,
  bor: (a, b) => `${a} || ${b}`,
  bnot: (a) => `!${a}`,
} as const satisfies Record<InstructionName, (a: string, b: string, c: string) => string>;

const CANON = `const canon = (x) => {
  const m = x < 0 ? -x : x;
  return m >= ${2 ** -125} ? (m > ${2 ** 127} ? (x < 0 ? ${-(2 ** 127)} : ${2 ** 127}) : x) : 0;
};`;

export type ScalarFunction = (...inputs: number[]) => number;

/** A program some of whose values tell something of its operands and its result. */
export interface Telling {
  /** The values of the program that is told of, then those that tell. */
  readonly program: Program;
  /** The number of the value that is the result. */
  readonly output: number;
  /** The numbers of bools, and the bit that each stands for. */
  readonly flags: readonly { readonly value: number; readonly bit: number }[];
}

/** Collects the bits of flags that were true. */
export interface Seen {
  bits: number;
}

/** The body of a function of `v0`, `v1` and so on, which returns the program's output. */
function javascriptSource(program: Program, output = layout(program).count - 1, flags: Telling["flags"] = []): string {
  const at = layout(program);
  const name = (value: number): string => {
    if (value >= at.floats && value < at.ints) return `(${fromBits(program.floats[value - at.floats])})`;
    if (value >= at.ints && value < at.steps) return `(${program.ints[value - at.ints]})`;
    return `v${value}`;
  };
  const lines = program.steps.map(({ name: instruction, args }, i) => {
    const [a, b, c] = [0, 1, 2].map((j) => (args[j] === undefined ? "" : name(args[j])));
    const expression = EXPRESSIONS[instruction](a, b, c);
    const float = INSTRUCTIONS[instruction].result === "f";
    return `  const v${at.steps + i} = ${float ? `canon(${expression})` : expression};`;
  });
  const told = flags.map(({ value, bit }) => `  if (v${value}) seen.bits |= ${bit};`);
  return [...lines, ...told, `  return ${name(output)};`].join("\n");
}

const compiled = new Map<string, ScalarFunction>();

const functionOf = (program: Program, first: readonly string[], body: string): unknown => {
  const parameters = [...first, ...program.inputs.map((_, i) => `v${i}`)].join(", ");
  const source = `"use strict"; ${CANON} const { fround } = Math;\nreturn (${parameters}) => {\n${body}\n};`;
  return new Function("table", source)(INSTRUCTIONS);
};

/**
 * A function that computes the program on canonical inputs. It is compiled from fragments of this module
 * only.
 */
export function compileJavaScript(program: Program): ScalarFunction {
  const key = programKey(program);
  let run = compiled.get(key);
  if (!run) {
    run = functionOf(program, [], javascriptSource(program)) as ScalarFunction;
    compiled.set(key, run);
  }
  return run;
}

type TellingFunction = (seen: Seen, ...inputs: number[]) => number;

const telling = new WeakMap<Telling, TellingFunction>();

/** A function that also collects what a program tells of the inputs that it is given. */
export function compileTelling(told: Telling): TellingFunction {
  let run = telling.get(told);
  if (!run) {
    run = functionOf(
      told.program,
      ["seen"],
      javascriptSource(told.program, told.output, told.flags),
    ) as TellingFunction;
    telling.set(told, run);
  }
  return run;
}
