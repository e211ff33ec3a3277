/** Learning rates as functions of the training step's number, computed in the graph. */
import { map } from "../../graph/emit.ts";
import { describe } from "../../errors/arguments.ts";
import { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float, type Float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { floatOf, settingError } from "../settings.ts";

/** When a rate is taken: the graph, and the number of the training step, an i32 scalar that counts from 1. */
export type Moment = Pick<Context, "builder" | "step">;

/**
 * The rate of the present training step: an f32 scalar, usually made from `step`. A job's context is a
 * moment.
 */
export type Schedule = (moment: Moment) => Value;

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
 * A schedule by a formula.
 * @param rate the rate from the number of training steps before the present one, which is 0 at first
 */
export function curve(rate: (before: Float) => Float): Schedule {
  const program = defineProgram("i", (step) => rate(step.sub(1).toFloat().max(0)));
  return ({ step }) => map(program, [step], { name: "learning-rate", shape: [] });
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
  return (moment) => expectRate(of, rate(moment));
}

/** @throws {JobError} when a schedule has given something that is no f32 scalar */
export function expectRate(of: string, value: unknown): Value {
  if (value instanceof Value && value.dtype === "f32" && value.rank === 0) return value;
  throw settingError(
    of,
    `learningRate returns ${value instanceof Value ? value : describe(value)}; return an f32 scalar`,
  );
}
