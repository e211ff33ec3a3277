/** What the game of a task costs its players, in words: a bond for gas, and a one-step proof. */
import { JobError } from "../../errors/index.ts";
import type { JobOutline } from "../../job/closed.ts";
import { jobFacts } from "../../referee/facts.ts";
import { ETHER, formatAmount } from "../../settlement/amount.ts";
import { mostExpensiveStep, GAS_CAP, type StepBound } from "../../settlement/game/proof-bound.ts";
import { formatBytes, formatCount } from "../output.ts";

/** Adds the game's costs after the game. @param mostExpensive scalar step of the job, if that is known */
export function withGameFields(
  fields: [string, string][],
  gasBond: bigint | undefined,
  mostExpensive?: StepBound,
): [string, string][] {
  if (gasBond === undefined) return fields;
  const added: [string, string][] = [["gas bond", `${bondText(gasBond)} with each side's first move in a dispute`]];
  if (mostExpensive) {
    const { label } = mostExpensive;
    added.push(["most expensive step", `${label}: its one-step proof takes at most ${sizeText(mostExpensive)}`]);
  }
  return fields.flatMap((field) => (field[0] === "game" ? [field, ...added] : [field]));
}

/**
 * The scalar step of a job that is most expensive to prove.
 * @throws {JobError} if no transaction could prove it
 */
export function provableStep(outline: JobOutline, commitEvery: number): StepBound {
  const step = mostExpensiveStep(jobFacts(outline, commitEvery));
  const { label, gas } = step;
  if (gas > GAS_CAP)
    throw new JobError(
      "STEP_TOO_LARGE",
      `${label}: proving one scalar step of this operator may take ${sizeText(step)}, more than a transaction may use; use smaller tensors in it, or a task without a game`,
      { gas, expected: `at most ${GAS_CAP}`, found: gas },
    );
  return step;
}

const sizeText = ({ bytes, gas }: StepBound): string => `${formatBytes(bytes)} and ${formatCount(gas)} gas`;

export const bondText = (gasBond = 0n): string => formatAmount(gasBond, ETHER);
