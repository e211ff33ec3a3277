/** Absences for drills: who stays away, and in which rounds. */
import { RoundsError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type LeafPlace, mayMiss, type Plan } from "./plan.ts";

/** A participant that stays away for some rounds. */
export interface Away {
  /** The number of the participant. */
  readonly participant: number;
  /** The first and the last of the rounds. */
  readonly from: number;
  readonly to: number;
}

/**
 * Reads `worker-2=3..5`, or `worker-2=3` for one round.
 * @throws {RoundsError} for another text, or somebody whom the plan can't miss
 */
export function parseAway(plan: Plan, text: string): Away {
  const fail = (problem: string): never => {
    throw new RoundsError("FAULT", `the absence ${quote(text)} ${problem}`, { found: text });
  };
  const [, name, first = "", second = first] = /^([A-Za-z0-9-]+)=(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text) ?? [];
  if (name === undefined) return fail("is not NAME=ROUND or NAME=FIRST..LAST; write worker-2=3..5");
  const participant = plan.participants.findIndex((each) => each.name === name);
  if (participant < 0) fail(`names nobody; take ${plan.participants.map((each) => each.name).join(", ")}`);
  const [from, to] = [Number(first), Number(second)];
  if (from < 1 || from > to || to > plan.rounds)
    fail(`has no rounds of the plan in which somebody may be away; take 1 to ${plan.rounds}`);
  const needed = plan.turns.find(({ by }, turn) => by === plan.participants[participant].role && !mayMiss(plan.turns[turn])); // prettier-ignore
  if (needed) fail(`is of somebody whom the turn ${needed.name} can't miss; give it a quorum in the plan`);
  return { participant, from, to };
}

/** Whether the owner of a place stays away. */
export const isAway = (plan: Plan, away: readonly Away[], { round, seat }: LeafPlace): boolean =>
  away.some(
    ({ participant, from, to }) => plan.seats[seat].participant === participant && round >= from && round <= to,
  );
