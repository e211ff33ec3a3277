/** The gate for the options of a job, its optimizers, schedules, initializers and layers. */
import { checkOptions, describe, type Refuse } from "../errors/arguments.ts";
import { type Evidence, JobError } from "../errors/index.ts";
import { floatSetting, type Range, wholeSetting } from "../repops/numbers/settings.ts";

/** @param of the call or the layer, as the beginning of the message */
export function settingError(of: string, problem: string, evidence?: Evidence): JobError {
  return new JobError("SETTING", `${of}: ${problem}`, evidence);
}

const refuseIn =
  (of: string): Refuse =>
  (problem, evidence) =>
    settingError(of, problem, evidence);

/**
 * Checks that an argument is an object of options with no other names than the known ones.
 * @throws {JobError} when it is not; the message has the known name that is most alike
 */
export function expectOptions(of: string, options: unknown, known: readonly string[]): void {
  checkOptions(options, known, refuseIn(of));
}

/** A number that becomes a float constant (see `floatSetting`). @throws {JobError} out of its range */
export function floatOf(of: string, name: string, value: unknown, range: Range): number {
  return floatSetting(name, value, range, refuseIn(of));
}

/** A count: a whole number from 1, unless `least` is another. @throws {JobError} for anything else */
export function countOf(of: string, name: string, value: unknown, least = 1): number {
  return wholeSetting(name, value, { least }, refuseIn(of));
}

/** @param of the call that takes it @throws {JobError} when it is no function */
export function expectBody(of: string, body: unknown): void {
  if (typeof body !== "function") throw settingError(of, `the body is ${describe(body)}; pass a function`);
}
