/**
 * The definition of the results of a scalar program (spec 3.3). It is slow on purpose. Fast code is compared
 * with it.
 */
import { describe } from "../../errors/arguments.ts";
import { ProgramError } from "../../errors/index.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { checkProgram, type Program } from "./program.ts";
import { canon, fromBits } from "../numbers/vf32.ts";

/**
 * Runs a program on canonical floats and signed 32-bit integers, and gives all its values in order. The last
 * value is the output. `canon` is applied to float inputs, so that the result is defined for any bit pattern
 * that a dishonest party commits to.
 * @throws {ProgramError} when it is no program, or there is not one number for each of its inputs
 */
export function traceProgram(program: Program, inputs: readonly number[]): number[] {
  checkProgram(program);
  const areNumbers = Array.isArray(inputs) && inputs.every((input) => typeof input === "number");
  if (!areNumbers || inputs.length !== program.inputs.length)
    throw new ProgramError(
      "OPERAND",
      `a program of ${program.inputs.length} inputs gets ${describe(inputs)}; give one number for each input`,
    );
  const values = [
    ...program.inputs.map((type, i) => (type === "f" ? canon(inputs[i]) : inputs[i] | 0)),
    ...program.floats.map(fromBits),
    ...program.ints,
  ];
  for (const { name, args } of program.steps) {
    const { evaluate, result } = INSTRUCTIONS[name];
    const value = evaluate(values[args[0]], values[args[1]], values[args[2]]);
    values.push(result === "f" ? canon(value) : value);
  }
  return values;
}

/**
 * The output of a program: a vf32, or a signed 32-bit integer.
 * @throws {ProgramError} as `traceProgram` does
 */
export function interpret(program: Program, inputs: readonly number[]): number {
  const values = traceProgram(program, inputs);
  return values[values.length - 1];
}
