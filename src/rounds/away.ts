/** Drills about who is there: who stays away, whom the recorder leaves out, and which stores sign twice. */
import { RoundsError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type LeafPlace, mayMiss, type Plan } from "./plan.ts";

/** A participant, in some rounds. */
export interface Away {
  /** The number of the participant. */
  readonly participant: number;
  /** The first and the last of the rounds. */
  readonly from: number;
  readonly to: number;
}

type Fail = (problem: string) => never;

const failing =
  (what: string, text: string): Fail =>
  (problem) => {
    throw new RoundsError("FAULT", `the ${what} ${quote(text)} ${problem}`, { found: text });
  };

function spanIn(plan: Plan, text: string, fail: Fail): Away {
  const [, name, first = "", second = first] = /^([A-Za-z0-9-]+)=(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(text) ?? [];
  if (name === undefined) return fail("is not NAME=ROUND or NAME=FIRST..LAST; write worker-2=3..5");
  const participant = plan.participants.findIndex((each) => each.name === name);
  if (participant < 0) fail(`names nobody; take ${plan.participants.map((each) => each.name).join(", ")}`);
  const [from, to] = [Number(first), Number(second)];
  if (from < 1 || from > to || to > plan.rounds)
    fail(`has no rounds of the plan in which somebody may be away; take 1 to ${plan.rounds}`);
  return { participant, from, to };
}

const isStore = ({ participants, storage }: Plan, participant: number): boolean =>
  participants[participant].role === storage?.by;

function expectMissable(plan: Plan, { participant }: Away, fail: Fail): void {
  const needed = plan.turns.find(({ by }, turn) => by === plan.participants[participant].role && !mayMiss(plan.turns[turn])); // prettier-ignore
  if (needed) fail(`is of somebody whom the turn ${needed.name} can't miss; give it a quorum in the plan`);
}

/**
 * Reads `worker-2=3..5`, or `worker-2=3` for one round. A store that is away signs nothing.
 * @throws {RoundsError} for another text, or somebody whom the plan can't miss
 */
export function parseAway(plan: Plan, text: string): Away {
  const fail = failing("absence", text);
  const away = spanIn(plan, text, fail);
  expectMissable(plan, away, fail);
  return away;
}

/**
 * Reads whom the recorder calls absent though it has the leaf, in the same form.
 * @throws {RoundsError} for another text, somebody whom the plan can't miss, or a plan without storage, in
 *   which nothing would show it
 */
export function parseCensored(plan: Plan, text: string): Away {
  const fail = failing("censored member", text);
  if (!plan.storage) fail("can't be seen in a plan without storage; give the plan one");
  const censored = spanIn(plan, text, fail);
  if (isStore(plan, censored.participant)) fail("is a store, which has no leaves; name a member of a turn");
  expectMissable(plan, censored, fail);
  return censored;
}

/**
 * Reads which store signs both a receipt and a note of absence, in the same form.
 * @throws {RoundsError} for another text, or somebody that is no store
 */
export function parseTwice(plan: Plan, text: string): Away {
  const fail = failing("store that signs twice", text);
  const twice = spanIn(plan, text, fail);
  if (!isStore(plan, twice.participant)) fail("is no store of the plan");
  return twice;
}

/** Whether a participant is among those, in a round. */
export const isParticipantAway = (away: readonly Away[], participant: number, round: number): boolean =>
  away.some((each) => each.participant === participant && round >= each.from && round <= each.to);

/** Whether the owner of a place is among those. */
export const isAway = (plan: Plan, away: readonly Away[], { round, seat }: LeafPlace): boolean =>
  isParticipantAway(away, plan.seats[seat].participant, round);
