/** What the game of a task costs its players, in words: a bond for gas, and a one-step proof. */
import { ETHER, formatAmount } from "../../settlement/amount.ts";
import type { StepBound } from "../../settlement/game/proof-bound.ts";
import { formatBytes, formatCount } from "../output.ts";

/** Adds the game's costs after the game. @param mostExpensive scalar step of the job, if that is known */
export function withGameFields(
  fields: [string, string][],
  gasBond: bigint | undefined,
  mostExpensive?: StepBound,
): [string, string][] {
  if (gasBond === undefined) return fields;
  const added: [string, string][] = [
    ["gas bond", `${bondText(gasBond)} from each player, once: with its challenge, its escalation or its first move`],
  ];
  if (mostExpensive) {
    const { label } = mostExpensive;
    added.push(["most expensive step", `${label}: its one-step proof takes at most ${sizeText(mostExpensive)}`]);
  }
  return fields.flatMap((field) => (field[0] === "game" ? [field, ...added] : [field]));
}

const sizeText = ({ bytes, gas }: StepBound): string => `${formatBytes(bytes)} and ${formatCount(gas)} gas`;

export const bondText = (gasBond = 0n): string => formatAmount(gasBond, ETHER);
