/** What the game that a task names asks for, in words: a bond for gas, and the proof of a step. */
import { JobError } from "../../errors/index.ts";
import type { JobOutline } from "../../job/closed.ts";
import { jobFacts } from "../../referee/facts.ts";
import { ETHER, formatAmount } from "../../settlement/amount.ts";
import { dearestStep, GAS_CAP, type StepBound } from "../../settlement/game/proof-bound.ts";
import { formatBytes, formatCount } from "../output.ts";

/** Says beside the game what it asks for. @param dearest step of the job, where that is known */
export function withGameFields(
  fields: [string, string][],
  gasBond: bigint | undefined,
  dearest?: StepBound,
): [string, string][] {
  if (gasBond === undefined) return fields;
  const added: [string, string][] = [["gas bond", `${bondText(gasBond)} with each side's first move in a dispute`]];
  if (dearest) added.push(["dearest step", `${dearest.label}: its proof takes at most ${sizeText(dearest)}`]);
  return fields.flatMap((field) => (field[0] === "game" ? [field, ...added] : [field]));
}

/** The dearest step of a job before the game. @throws {JobError} where no transaction could prove it */
export function provableStep(outline: JobOutline, commitEvery: number): StepBound {
  const dearest = dearestStep(jobFacts(outline, commitEvery));
  const { label, gas } = dearest;
  if (gas > GAS_CAP)
    throw new JobError(
      "STEP_TOO_LARGE",
      `${label}: to prove a step of this operator may take ${sizeText(dearest)}, more than a transaction may; use smaller tensors in it, or a task without a game`,
      { gas, expected: `at most ${GAS_CAP}`, found: gas },
    );
  return dearest;
}

const sizeText = ({ bytes, gas }: StepBound): string => `${formatBytes(bytes)} and ${formatCount(gas)} gas`;

export const bondText = (gasBond = 0n): string => formatAmount(gasBond, ETHER);
