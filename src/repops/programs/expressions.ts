/**
 * Scalar programs are written as expressions:
 *
 *     const square = defineProgram("f", (x) => x.mul(x));
 *
 * Equal expressions become one value. A number becomes a constant of the expected type; a float constant is
 * rounded to nearest even and has to be canonical.
 */
import { describe } from "../../errors/arguments.ts";
import { ProgramError } from "../../errors/index.ts";
import type { InstructionName } from "./instructions.ts";
import { checkProgram, MAX_VALUES, type Program, type Step, valueTypes } from "./program.ts";
import { bitsOf, isCanonicalBits } from "../numbers/vf32.ts";

type Node =
  | { kind: "input"; index: number }
  | { kind: "float"; bits: number }
  | { kind: "int"; value: number }
  | { kind: "step"; name: InstructionName; args: readonly Expression[] };

export abstract class Expression {
  readonly node: Node;
  constructor(node: Node) {
    this.node = node;
  }
}

type FloatLike = Float | number;
type IntLike = Int | number;

const step = (name: InstructionName, args: readonly Expression[]): Node => ({ kind: "step", name, args });

/** @throws {ProgramError} for what is no expression; whether its type fits is checked with the program */
function expression<E extends Expression>(given: E): E {
  if (given instanceof Expression) return given;
  throw new ProgramError(
    "TYPE",
    `an operand of an expression is ${describe(given)}; pass a number, or an expression of the program's inputs`,
  );
}

/**
 * A constant, rounded to nearest even; -0 is 0.
 * @throws {ProgramError} when the rounded value is not a vf32: 0, or a magnitude from 2^-125 to 2^127
 */
export function float(value: FloatLike): Float {
  if (typeof value !== "number") return expression(value);
  // There is no -0 in vf32: it is 0, as in all data from outside (spec 2.3).
  const bits = value === 0 ? 0 : bitsOf(Math.fround(value));
  if (Number.isNaN(value) || !isCanonicalBits(bits))
    throw new ProgramError("CONSTANT", `the constant ${value} is not a vf32: 0, or a magnitude from 2^-125 to 2^127`, {
      value,
    });
  return new Float({ kind: "float", bits });
}

/** A constant from -2^31 to 2^32 - 1. */
export function int(value: IntLike): Int {
  if (typeof value !== "number") return expression(value);
  if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 32)
    throw new ProgramError(
      "CONSTANT",
      `the constant ${value} is not a 32-bit integer; take one from -2^31 to 2^32 - 1`,
      { value },
    );
  return new Int({ kind: "int", value: value | 0 });
}

/**
 * A vf32 number of a scalar program under construction. Methods are instructions; numbers become constants.
 */
export class Float extends Expression {
  readonly type = "f";
  add = (y: FloatLike): Float => new Float(step("fadd", [this, float(y)]));
  sub = (y: FloatLike): Float => new Float(step("fsub", [this, float(y)]));
  mul = (y: FloatLike): Float => new Float(step("fmul", [this, float(y)]));
  /** Correctly rounded; x/0 is ±2^127, 0/0 is 0. */
  div = (y: FloatLike): Float => new Float(step("fdiv", [this, float(y)]));
  /** Correctly rounded; 0 below 0. */
  sqrt = (): Float => new Float(step("fsqrt", [this]));
  neg = (): Float => new Float(step("fneg", [this]));
  abs = (): Float => new Float(step("fabs", [this]));
  min = (y: FloatLike): Float => new Float(step("fmin", [this, float(y)]));
  max = (y: FloatLike): Float => new Float(step("fmax", [this, float(y)]));
  floor = (): Float => new Float(step("ffloor", [this]));
  /** x · 2^n */
  ldexp = (n: IntLike): Float => new Float(step("fldexp", [this, int(n)]));
  /** In [1, 2) with the sign of x; 0 of 0. */
  mantissa = (): Float => new Float(step("fmant", [this]));
  /** x = mantissa · 2^exponent; 0 of 0. */
  exponent = (): Int => new Int(step("fexp", [this]));
  eq = (y: FloatLike): Bool => new Bool(step("feq", [this, float(y)]));
  lt = (y: FloatLike): Bool => new Bool(step("flt", [this, float(y)]));
  gt = (y: FloatLike): Bool => new Bool(step("flt", [float(y), this]));
  /** Toward zero, saturating. */
  toI32 = (): Int => new Int(step("f2i", [this]));
  /** Toward zero, saturating; 0 below 0. */
  toU32 = (): Int => new Int(step("f2u", [this]));
  bits = (): Int => new Int(step("fbits", [this]));
}

/**
 * A 32-bit integer of a scalar program under construction. Methods are instructions; numbers become
 * constants.
 */
export class Int extends Expression {
  readonly type = "i";
  add = (y: IntLike): Int => new Int(step("iadd", [this, int(y)]));
  sub = (y: IntLike): Int => new Int(step("isub", [this, int(y)]));
  mul = (y: IntLike): Int => new Int(step("imul", [this, int(y)]));
  and = (y: IntLike): Int => new Int(step("iand", [this, int(y)]));
  or = (y: IntLike): Int => new Int(step("ior", [this, int(y)]));
  xor = (y: IntLike): Int => new Int(step("ixor", [this, int(y)]));
  shl = (y: IntLike): Int => new Int(step("ishl", [this, int(y)]));
  /** Fills with zeros from the left. */
  shr = (y: IntLike): Int => new Int(step("ishr", [this, int(y)]));
  /** Fills with the sign bit from the left. */
  sar = (y: IntLike): Int => new Int(step("isar", [this, int(y)]));
  rotl = (y: IntLike): Int => new Int(step("irotl", [this, int(y)]));
  eq = (y: IntLike): Bool => new Bool(step("ieq", [this, int(y)]));
  lt = (y: IntLike): Bool => new Bool(step("ilt", [this, int(y)]));
  ult = (y: IntLike): Bool => new Bool(step("ult", [this, int(y)]));
  /** The signed integer, rounded to nearest even. */
  toFloat = (): Float => new Float(step("i2f", [this]));
  /** The unsigned integer, rounded to nearest even. */
  toFloatUnsigned = (): Float => new Float(step("u2f", [this]));
  /** The float with these bits, made canonical. */
  asFloat = (): Float => new Float(step("bitsf", [this]));
}

/** A truth value of a scalar program under construction. */
export class Bool extends Expression {
  readonly type = "b";
  and = (y: Bool): Bool => new Bool(step("band", [this, y]));
  or = (y: Bool): Bool => new Bool(step("bor", [this, y]));
  not = (): Bool => new Bool(step("bnot", [this]));
  /** `x` where this is true, else `y`. */
  select = (x: FloatLike, y: FloatLike): Float => new Float(step("fsel", [this, float(x), float(y)]));
  selectInt = (x: IntLike, y: IntLike): Int => new Int(step("isel", [this, int(x), int(y)]));
}

/** The expression types that belong to a string of input types: `"fi"` takes a Float and an Int. */
type Inputs<Types extends string> = Types extends `f${infer Rest}`
  ? [Float, ...Inputs<Rest>]
  : Types extends `i${infer Rest}`
    ? [Int, ...Inputs<Rest>]
    : [];

/**
 * Builds a program. It has to use every input.
 * @param types one letter for each input: `f` for a float, `i` for an int; at most 8
 * @throws {ProgramError} when it has more than 256 values, does not use an input, or is no program
 */
export function defineProgram<Types extends string>(
  types: Types,
  body: (...inputs: Inputs<Types>) => Float | Int,
): Program {
  if (typeof types !== "string" || !/^[fi]*$/.test(types))
    throw new ProgramError(
      "TYPE",
      `the inputs of a program are ${describe(types)}; write one letter for each, f for a float and i for an int`,
    );
  if (typeof body !== "function")
    throw new ProgramError("TYPE", `the body of a program is ${describe(body)}; pass a function of its inputs`);
  const inputs = [...types].map((type, index) => {
    const node: Node = { kind: "input", index };
    return type === "f" ? new Float(node) : new Int(node);
  });
  const output = expression(body(...(inputs as Inputs<Types>)));
  const letters = [...types].map((type) => (type === "i" ? "i" : "f"));
  const { program } = number(letters, [output]);
  checkProgram(program);
  return program;
}

const CLASSES = { f: Float, i: Int, b: Bool } as const;

/**
 * A program with further values after its own. It may be longer than a program that a graph can hold.
 * @param more makes them of the program's values, which are given by their numbers
 * @returns the numbers of the program's output and of the further values
 */
export function extendProgram(
  program: Program,
  more: (values: readonly Expression[]) => readonly Expression[],
): { program: Program; output: number; more: number[] } {
  const types = valueTypes(program);
  const values: Expression[] = [];
  const make = (node: Node): void => void values.push(new CLASSES[types[values.length]](node));
  for (const index of program.inputs.keys()) make({ kind: "input", index });
  for (const bits of program.floats) make({ kind: "float", bits });
  for (const value of program.ints) make({ kind: "int", value });
  for (const { name, args } of program.steps) make({ kind: "step", name, args: args.map((arg) => values[arg]) });
  const { program: all, numbers } = number([...program.inputs], [values[values.length - 1], ...more(values)]);
  return { program: all, output: numbers[0], more: numbers.slice(1) };
}

/**
 * Numbers the distinct expressions that outputs depend on, in the order in which they are first needed.
 */
function number(inputs: ("f" | "i")[], outputs: readonly Expression[]): { program: Program; numbers: number[] } {
  const floats: number[] = [];
  const ints: number[] = [];
  const steps: { name: InstructionName; args: string[] }[] = [];
  const named = new Map<string, string>();
  const seen = new Map<Expression, string>();
  // Every expression on a way to an input is a value of its own, so a longer way needs too many values.
  let depth = 0;
  const visit = (expression: Expression): string => {
    const known = seen.get(expression);
    if (known !== undefined) return known;
    if (++depth > MAX_VALUES)
      throw new ProgramError(
        "TOO_LONG",
        `the program has more than ${MAX_VALUES} instructions, one after another; split it into several operators`,
      );
    const name = place(expression.node);
    depth--;
    seen.set(expression, name);
    return name;
  };
  const place = (node: Node): string => {
    if (node.kind === "input") return `input ${node.index}`;
    if (node.kind === "float") return intern(`float ${node.bits}`, () => `float ${floats.push(node.bits) - 1}`);
    if (node.kind === "int") return intern(`int ${node.value}`, () => `int ${ints.push(node.value) - 1}`);
    const args = node.args.map(visit);
    return intern(`${node.name} ${args.join()}`, () => `step ${steps.push({ name: node.name, args }) - 1}`);
  };
  const intern = (key: string, make: () => string): string => {
    let name = named.get(`=${key}`);
    if (name === undefined) named.set(`=${key}`, (name = make()));
    return name;
  };
  const names = outputs.map(visit);
  const base: Record<string, number> = {
    input: 0,
    float: inputs.length,
    int: inputs.length + floats.length,
    step: inputs.length + floats.length + ints.length,
  };
  const resolve = (name: string): number => {
    const [kind, index] = name.split(" ");
    return base[kind] + Number(index);
  };
  const numbered = steps.map(({ name, args }): Step => ({ name, args: args.map(resolve) }));
  return { program: { inputs, floats, ints, steps: numbered }, numbers: names.map(resolve) };
}
