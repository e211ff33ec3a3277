/** Schedules one after another. */
import { describe } from "../../errors/arguments.ts";
import { map } from "../../graph/emit.ts";
import type { Value } from "../../graph/value.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { expectOptions, settingError } from "../settings.ts";
import { expectRate, type Moment, type Schedule } from "./schedule.ts";
import { milestonesOf } from "./schedules.ts";

/**
 * One schedule after another. Each counts the training steps from its own beginning.
 *
 *     sequentialLR({
 *       schedules: [linearLR({ learningRate: 0.1 }), stepLR({ learningRate: 0.1, stepSize: 30 })],
 *       milestones: [5],
 *     })
 *
 * @param options `schedules`: two or more; `milestones`: after how many training steps each but the first
 *   begins
 * @throws {JobError} when there is not one milestone between two schedules, or they do not rise
 */
export function sequentialLR(options: { schedules: readonly Schedule[]; milestones: readonly number[] }): Schedule {
  const of = "sequentialLR";
  expectOptions(of, options, ["schedules", "milestones"]);
  const { schedules } = options;
  if (!Array.isArray(schedules) || !schedules.every((each) => typeof each === "function"))
    throw settingError(of, `schedules is ${describe(schedules)}; pass a list of schedules`);
  const milestones = milestonesOf(of, options.milestones);
  if (schedules.length !== milestones.length + 1)
    throw settingError(
      of,
      `${schedules.length} schedules have ${milestones.length} milestones; give one less than there are schedules`,
    );
  const rateOf = (phase: number, moment: Moment): Value =>
    expectRate(`${of}: schedule ${phase}`, schedules[phase](moment));
  return ({ builder, step }) =>
    milestones.reduce(
      (before, from, i) => {
        const later = defineProgram("i", (number) => number.sub(from));
        const own = map(later, [step], { name: "step-of-phase", shape: [] });
        const rate = rateOf(i + 1, { builder, step: own });
        const chosen = defineProgram("iff", (number, a, b) => number.lt(from + 1).select(a, b));
        return map(chosen, [step, before, rate], { name: "learning-rate", shape: [] });
      },
      rateOf(0, { builder, step }),
    );
}
