/**
 * A dispute as it is played on a chain: the pure game of the referee, with moves in turn and chess clocks. The twin of
 * contracts/game/Bisection.sol: from the same moves at the same times both come to the same state, bit for bit.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { DisputeError } from "../../errors.ts";
import { advance, type GameState, isRunning, type Machine, objection, startGame } from "../../referee/game.ts";
import type { Answer, Pair, Side } from "../../referee/level.ts";

/** How long moves may take, in seconds. */
export interface Pace {
  /** What each side has for all its moves together. */
  readonly clock: number;
  /** What it has for any move, however little is left on its clock. */
  readonly response: number;
  /** The same for a move that may need a step to be computed again: all but those from children to children. */
  readonly recompute: number;
}

export interface Match {
  readonly pace: Pace;
  readonly game: GameState;
  /** What the side that is not to move has answered to the game's question; `undefined` at the start and at the bottom. */
  readonly shown: Answer | undefined;
  readonly turn: Side;
  readonly clocks: Pair<number>;
  /** When the turn began, in seconds since 1970. */
  readonly since: number;
}

/** The reply to the question that the other side has answered, and the answer to the next one. */
export interface Turn {
  /** `undefined` at the start, where nobody has been asked yet. */
  readonly reply: Answer | undefined;
  /** `undefined` at the bottom, where nothing more is asked. */
  readonly next: Answer | undefined;
}

export const otherSide = (side: Side): Side => (side === 0 ? 1 : 0);

/** @throws {DisputeError} when the claims are equal */
export function startMatch(machine: Machine, claims: Pair<Bytes>, pace: Pace, now: number): Match {
  const game = startGame(machine, claims);
  return { pace, game, shown: undefined, turn: 0, clocks: [pace.clock, pace.clock], since: now };
}

/** The last second of the turn. */
export function deadlineOf({ pace, game, turn, clocks, since, shown }: Match): number {
  if (!isRunning(game)) return since + Math.max(...clocks, pace.recompute);
  const plain = shown !== undefined && game.phase === "children";
  return since + Math.max(clocks[turn], plain ? pace.response : pace.recompute);
}

/** The game after the reply; what is asked next is asked of both. */
export function replied(machine: Machine, match: Match, reply: Answer | undefined): GameState {
  const { game, shown, turn } = match;
  if (!isRunning(game)) throw new DisputeError("nothing is asked any more: the step at the bottom decides");
  if (shown === undefined) {
    if (reply) throw new DisputeError("a reply, although the other side has not answered anything");
    return game;
  }
  const after = advance(machine, game, turn === 0 ? [reply, shown] : [shown, reply]);
  if (after.phase === "forfeit")
    throw new DisputeError(after.reasons[turn] ?? "the other side's answer does not hold", { turn });
  return after;
}

/**
 * The match after a move.
 * @param now seconds since 1970
 * @throws {DisputeError} for a move that the contract refuses: too late, or not what the side has committed to
 */
export function play(machine: Machine, match: Match, { reply, next }: Turn, now: number): Match {
  const { turn, clocks, since } = match;
  const deadline = deadlineOf(match);
  if (now > deadline) throw new DisputeError(`the time for the move was over at ${deadline}`, { now });
  const game = replied(machine, match, reply);
  const wrong = isRunning(game) ? objection(game, turn, next) : next && "an answer, although nothing is asked any more";
  if (wrong) throw new DisputeError(wrong, { turn });
  const left = Math.max(clocks[turn] - (now - since), 0);
  return {
    pace: match.pace,
    game,
    shown: next,
    turn: otherSide(turn),
    clocks: turn === 0 ? [left, clocks[1]] : [clocks[0], left],
    since: now,
  };
}

/** Who loses when nobody moves in time; `undefined` while there is time. */
export function timedOut(match: Match, now: number): readonly Side[] | undefined {
  if (now <= deadlineOf(match)) return undefined;
  return isRunning(match.game) ? [match.turn] : [0, 1];
}
