/**
 * A scalar program (spec 3): straight-line code in SSA form. Its values are numbered: inputs first, then
 * float constants, int constants, and one value for each instruction. The last value is the output.
 */
import { type Bytes, Reader, toHex, Writer } from "../../encoding/bytes.ts";
import { describe } from "../../errors/arguments.ts";
import { ProgramError, type ProgramSubCode } from "../../errors/index.ts";
import { INSTRUCTIONS, instructionByOpcode, type InstructionName, type RegisterType } from "./instructions.ts";
import { isCanonicalBits } from "../numbers/vf32.ts";

/** The most inputs of a program. */
export const MAX_INPUTS = 8;
/** The limit for inputs, constants and instructions together, because an operand is one byte. */
export const MAX_VALUES = 256;

export interface Step {
  name: InstructionName;
  /** Numbers of earlier values. */
  args: readonly number[];
}

/**
 * A function of scalars, one instruction after another (spec 3). Its values are numbered: inputs, floats,
 * ints, instructions (`steps`). The last value is the result.
 */
export interface Program {
  inputs: readonly ("f" | "i")[];
  /** Bit patterns of canonical floats, each only once. */
  floats: readonly number[];
  /** Signed 32-bit integers, each only once. */
  ints: readonly number[];
  steps: readonly Step[];
}

/** The number of the first value of each part. */
export function layout(program: Program): { floats: number; ints: number; steps: number; count: number } {
  const floats = program.inputs.length;
  const ints = floats + program.floats.length;
  const steps = ints + program.ints.length;
  return { floats, ints, steps, count: steps + program.steps.length };
}

/** The type of every value. */
export function valueTypes(program: Program): RegisterType[] {
  return [
    ...program.inputs,
    ...program.floats.map((): RegisterType => "f"),
    ...program.ints.map((): RegisterType => "i"),
    ...program.steps.map((step): RegisterType => INSTRUCTIONS[step.name].result),
  ];
}

export function outputType(program: Program): "f" | "i" {
  const types = valueTypes(program);
  return types[types.length - 1] as "f" | "i";
}

/** @throws {ProgramError} when it does not even have the lists that make a program */
function expectProgram(program: Program): void {
  const { inputs, floats, ints, steps } = program ?? {};
  if (![inputs, floats, ints, steps].every(Array.isArray))
    throw new ProgramError("TYPE", `${describe(program)} is no scalar program; make one with defineProgram`);
}

/** Programs that have passed `checkProgram`. They are frozen, so they need not be checked again. */
const passed = new WeakSet<Program>();

/**
 * Refuses every program that is not in canonical form, so that each list of instructions has only one
 * encoding. A program that has passed is frozen, with all that is in it.
 * @throws {ProgramError} when a rule is broken; the message names the first one
 */
export function checkProgram(program: Program): void {
  const { inputs, floats, ints, steps } = program ?? {};
  if (passed.has(program)) return;
  expectProgram(program);
  if (inputs.some((type) => type !== "f" && type !== "i"))
    throw new ProgramError("TYPE", "a scalar program has an input that is neither f nor i; use defineProgram");
  const fail = (subCode: ProgramSubCode, problem: string): never => {
    throw new ProgramError(subCode, `scalar program: ${problem}; build it with defineProgram`, { program });
  };
  const at = layout(program);
  if (inputs.length > MAX_INPUTS)
    fail("TOO_LONG", `it has ${inputs.length} inputs, but at most ${MAX_INPUTS} are allowed`);
  if (at.count > MAX_VALUES)
    fail("TOO_LONG", `it has ${at.count} inputs, constants and instructions, but at most ${MAX_VALUES} are allowed`);
  if (at.count === 0) fail("EMPTY", "it has no value to return");
  if (floats.length > 255 || ints.length > 255 || steps.length > 255)
    fail("TOO_LONG", "it has more than 255 values of one kind");
  if (new Set(floats).size !== floats.length || new Set(ints).size !== ints.length)
    fail("NOT_CANONICAL", "a constant is there twice");
  for (const bits of floats)
    if (!isCanonicalBits(bits)) fail("CONSTANT", `constant 0x${bits.toString(16)} is not canonical`);
  for (const value of ints)
    if ((value | 0) !== value) fail("CONSTANT", `the constant ${value} is not a signed 32-bit integer`);
  steps.forEach((step, i) => {
    if (!Object.hasOwn(INSTRUCTIONS, step?.name) || !Array.isArray(step.args))
      fail("OPERAND", `instruction ${i} is ${describe(step?.name)}, which does not exist, or has no operands`);
  });
  const types = valueTypes(program);
  const used = new Set<number>([at.count - 1]);
  steps.forEach(({ name, args }, i) => {
    const expected = INSTRUCTIONS[name].args;
    if (args.length !== expected.length)
      fail("OPERAND", `instruction ${i} (${name}) has ${args.length} operands; it takes ${expected.length}`);
    args.forEach((arg, j) => {
      if (!Number.isInteger(arg) || arg < 0 || arg >= at.steps + i)
        fail("OPERAND", `operand ${j} of instruction ${i} (${name}) is value ${arg}, which is not before it`);
      if (types[arg] !== expected[j])
        fail("TYPE", `operand ${j} of instruction ${i} (${name}) has type ${types[arg]}, not ${expected[j]}`);
      used.add(arg);
    });
  });
  for (let value = 0; value < at.count; value++)
    if (!used.has(value)) fail("NOT_CANONICAL", `value ${value} is never used`);
  if (types[at.count - 1] === "b") fail("TYPE", "its output is a bool; return a float or an integer");
  for (const step of steps) Object.freeze(Object.freeze(step).args);
  for (const fixed of [inputs, floats, ints, steps, program]) Object.freeze(fixed);
  passed.add(program);
}

/** Canonical bytes: an 8-byte header, the constants, four bytes for each instruction (spec 3.4). */
export function encodeProgram(program: Program): Bytes {
  expectProgram(program);
  const mask = program.inputs.reduce((bits, type, i) => (type === "i" ? bits | (1 << i) : bits), 0);
  const writer = new Writer();
  for (const count of [program.inputs.length, mask, program.floats.length, program.ints.length, program.steps.length])
    writer.u8(count, "a count of a scalar program");
  writer.u8(0).u16(0);
  for (const bits of program.floats) writer.u32(bits, "a float constant");
  for (const value of program.ints) writer.i32(value, "an int constant");
  for (const { name, args } of program.steps) {
    writer.u8(INSTRUCTIONS[name].opcode);
    for (let i = 0; i < 3; i++) writer.u8(args[i] ?? 0, "an operand of an instruction");
  }
  return writer.finish();
}

/**
 * @throws {FormatError} for bytes that are cut or too long, {ProgramError} for a program that is not
 * canonical
 */
export function decodeProgram(reader: Reader): Program {
  if (!(reader instanceof Reader))
    throw new ProgramError("TYPE", `a program is read from a Reader of bytes, not from ${describe(reader)}`);
  const [inputCount, mask, floatCount, intCount, stepCount, ...zero] = reader.bytes(8);
  if (inputCount > MAX_INPUTS || mask >> inputCount !== 0 || zero.some((byte) => byte !== 0))
    throw reader.error("MALFORMED", "the header of a scalar program is malformed");
  const program: Program = {
    inputs: Array.from({ length: inputCount }, (_, i) => ((mask >> i) & 1 ? "i" : "f")),
    floats: Array.from({ length: floatCount }, () => reader.u32()),
    ints: Array.from({ length: intCount }, () => reader.i32()),
    steps: Array.from({ length: stepCount }, () => decodeStep(reader)),
  };
  checkProgram(program);
  return program;
}

function decodeStep(reader: Reader): Step {
  const [opcode, ...operands] = reader.bytes(4);
  const name = instructionByOpcode(opcode);
  if (name === undefined) throw reader.error("MALFORMED", `unknown opcode 0x${opcode.toString(16)}`);
  const arity = INSTRUCTIONS[name].args.length;
  if (operands.slice(arity).some((byte) => byte !== 0))
    throw reader.error("NOT_CANONICAL", "an unused operand is not 0");
  return { name, args: operands.slice(0, arity) };
}

const keys = new WeakMap<Program, string>();

/** A string that is equal for equal programs. */
export function programKey(program: Program): string {
  let key = keys.get(program);
  if (key === undefined) keys.set(program, (key = toHex(encodeProgram(program))));
  return key;
}
