/** Learning rates as functions of the training step's number, computed in the graph. */
import { map } from "../../graph/emit.ts";
import { describe } from "../../errors/arguments.ts";
import { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { floatOf, settingError } from "../settings.ts";

/** The rate of the present training step: an f32 scalar, usually made from `context.step`. */
export type Schedule = (context: Context) => Value;

/**
 * The same rate in every training step.
 * @throws {JobError} when the rate is negative, or not a vf32 once it is rounded
 */
export function constantRate(rate: number): Schedule {
  floatOf("constantRate", "the rate", rate, NOT_NEGATIVE);
  return ({ builder, step }) => {
    // Its value does not depend on the step, but it has an operator of its own, as every schedule has.
    const program = defineProgram("i", (number) => number.lt(0).select(0, float(rate)));
    return map(program, [step], { name: "learning-rate", shape: [], builder });
  };
}

/**
 * The option `learningRate` as a schedule.
 * @param of the optimizer's name
 * @throws {JobError} when it is neither a possible rate nor a function
 */
export function schedule(of: string, rate: number | Schedule): Schedule {
  if (typeof rate !== "function") {
    floatOf(of, "learningRate", rate, NOT_NEGATIVE);
    return constantRate(rate);
  }
  return (context) => {
    const value: unknown = rate(context);
    if (!(value instanceof Value) || value.dtype !== "f32" || value.rank !== 0)
      throw settingError(
        of,
        `learningRate returns ${value instanceof Value ? value : describe(value)}; return an f32 scalar`,
      );
    return value;
  };
}
