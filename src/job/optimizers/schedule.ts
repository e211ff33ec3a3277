/** Learning rates as functions of the training step's number, computed in the graph. */
import { map } from "../../graph/emit.ts";
import type { Value } from "../../graph/value.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";

/** The rate of the present training step: an f32 scalar, usually made from `context.step`. */
export type Schedule = (context: Context) => Value;

/**
 * The same rate in every training step.
 * @throws {ProgramError} when the rounded rate is not a vf32: 0, or a magnitude from 2^-125 to 2^127
 */
export function constantRate(rate: number): Schedule {
  return ({ builder, step }) => {
    // Its value does not depend on the step, but it has an operator of its own, as every schedule has.
    const program = defineProgram("i", (number) => number.lt(0).select(0, float(rate)));
    return map(program, [step], { name: "learning-rate", shape: [], builder });
  };
}

/** A number as a schedule. */
export function schedule(rate: number | Schedule): Schedule {
  return typeof rate === "number" ? constantRate(rate) : rate;
}
