/** What a turn reads: the final states of seats, of this round or of an earlier one. */
import { RoundsError } from "../errors/index.ts";

/** Which member of the turn's role: a number, the reader's own (`same`), or all of them (`each`). */
export type Member = number | "same" | "each";

/** A source as an author declares it. `now`, `before` and `each` make it. */
export interface Source<Which extends "one" | "each" = "one" | "each"> {
  /** The name of the turn that is read. */
  readonly turn: string;
  /** How many rounds back: 0 is this round. */
  readonly before: number;
  /** Absent: the reader's own number, or the only member of another role. */
  readonly member?: Member;
  readonly which: Which;
}

function sourceOf<Which extends "one" | "each">(
  turn: string,
  before: number,
  which: Which,
  member?: Member,
): Source<Which> {
  if (typeof turn !== "string" || !Number.isInteger(before) || before < 0)
    throw new RoundsError(
      "PLAN",
      `${before} rounds before the turn ${turn} is no source; name a turn, and 0 rounds or more`,
    );
  return { turn, before, which, ...(member !== undefined && { member }) };
}

/**
 * What a turn to the left has made in this round.
 * @param member which member of its role; default: the reader's own number, or the only member
 */
export function now(turn: string, member?: number): Source<"one"> {
  return sourceOf(turn, 0, "one", member);
}

/**
 * What a turn has made in an earlier round; before the first round that is its initial state.
 * @param rounds how many rounds back, from 1; default 1
 */
export function before(turn: string, rounds = 1, member?: number): Source<"one"> {
  if (rounds === 0) throw new RoundsError("PLAN", `before(${turn}, 0) is this round; write now(${turn})`);
  return sourceOf(turn, rounds, "one", member);
}

/** The turn that reads, in a source of its own earlier state. */
export const SELF = "";

/**
 * What the seat itself has made in an earlier round.
 * @param rounds how many rounds back, from 1; default 1
 */
export function own(rounds = 1): Source<"one"> {
  return sourceOf(SELF, rounds, "one", "same");
}

/**
 * What every member of a turn's role has made, in the order of their numbers.
 * @param rounds 0: in this round
 */
export function each(turn: string, rounds = 0): Source<"each"> {
  return sourceOf(turn, rounds, "each", "each");
}

/** A source in a plan: one seat, as seen from the reader. */
export interface SeatSource {
  /** The number of the turn. */
  readonly turn: number;
  readonly before: number;
  readonly member: number | "same";
}
