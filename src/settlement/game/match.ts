/**
 * A dispute as it is played on a chain: the pure game of the referee, with moves in turn and chess clocks. It
 * is the twin of contracts/game/Bisection.sol: from the same moves at the same times, both reach the same
 * state, bit for bit.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { DisputeError } from "../../errors/index.ts";
import { advance, type GameState, isRunning, type Machine, type RunningGame, startGame } from "../../game/bisection.ts";
import type { Answer, Pair, Side } from "../../game/level.ts";
import { answerWithin, isAnswered, roundObjection, roundOf } from "./round.ts";

/** How long moves may take, in seconds. */
export interface Pace {
  /** What a side has for all its moves together. */
  readonly clock: number;
  /** What a side always has for one move, however little is left on its clock. */
  readonly response: number;
  /** The same for a move that may need a recomputation: all moves except those from children to children. */
  readonly recompute: number;
}

export interface Match {
  readonly pace: Pace;
  readonly game: GameState;
  /**
   * What the side that waits has shown for the game's question (`round.ts`). `undefined` at the start and at
   * the bottom.
   */
  readonly shown: Answer | undefined;
  readonly turn: Side;
  readonly clocks: Pair<number>;
  /** When the turn began, in seconds since 1970. */
  readonly since: number;
}

/** The reply to what the other side has shown, and what the mover shows next. */
export interface Turn {
  /**
   * Answers to the questions that the other side has answered, in order. Empty at the start: there is nothing
   * to reply to.
   */
  readonly reply: readonly Answer[];
  /** `undefined` at the bottom: nothing more is asked there. */
  readonly next: Answer | undefined;
}

export const otherSide = (side: Side): Side => (side === 0 ? 1 : 0);

/**
 * @param clock what side 0 has left of its clock: it has been running since the task came before the game
 * @throws {DisputeError} when the claims are equal
 */
export function startMatch(
  machine: Machine,
  claims: Pair<Bytes>,
  pace: Pace,
  now: number,
  clock: number = pace.clock,
): Match {
  const game = startGame(machine, claims);
  return { pace, game, shown: undefined, turn: 0, clocks: [clock, pace.clock], since: now };
}

/** The last second of the turn. */
export function deadlineOf({ pace, game, turn, clocks, since, shown }: Match): number {
  if (!isRunning(game)) return since + Math.max(...clocks, pace.recompute);
  const plain = shown !== undefined && game.phase === "children";
  return since + Math.max(clocks[turn], plain ? pace.response : pace.recompute);
}

/** Whether the mover has to reply to the question that the game asks now: the other side has answered it. */
export function asksReply({ game, shown }: Match, now: GameState): now is RunningGame {
  return shown !== undefined && isRunning(game) && isAnswered(roundOf(game), now);
}

/**
 * The game after the reply. Its next question is for both sides.
 * @throws {DisputeError} when the reply does not answer what the other side has shown
 */
function replied(machine: Machine, match: Match, reply: readonly Answer[]): GameState {
  let now = match.game;
  for (const answer of reply) now = afterAnswer(machine, match, now, answer);
  if (asksReply(match, now))
    throw new DisputeError("ANSWER_MISSING", `there is no reply to the ${now.phase} in the ${now.level.name} tree`);
  return now;
}

/**
 * The game after one more answer of the mover.
 * @param now the game after the earlier answers
 */
export function afterAnswer(machine: Machine, match: Match, now: GameState, answer: Answer): GameState {
  const { game, shown, turn } = match;
  if (shown === undefined || !isRunning(game) || !isRunning(now))
    throw new DisputeError("TURN", "there is a reply, although the other side has not answered anything");
  const other = answerWithin(roundOf(game), shown, now);
  const after = advance(machine, now, turn === 0 ? [answer, other] : [other, answer]);
  if (after.phase === "forfeit")
    throw new DisputeError("ANSWER_WRONG", after.reasons[turn] ?? "the other side's answer does not hold", { turn });
  return after;
}

/**
 * The match after a move.
 * @param now seconds since 1970
 * @throws {DisputeError} for a move that the contract refuses: it is too late, or contradicts what the side
 *   has claimed
 */
export function play(machine: Machine, match: Match, { reply, next }: Turn, now: number): Match {
  const { turn, clocks, since } = match;
  if (!isRunning(match.game))
    throw new DisputeError("TURN", "there are no more questions: the step at the bottom decides");
  const deadline = deadlineOf(match);
  if (now > deadline) throw new DisputeError("LATE", `the time for the move was over at ${deadline}`, { now });
  const game = replied(machine, match, reply);
  const wrong = isRunning(game)
    ? roundObjection(roundOf(game), turn, next)
    : next && "there is an answer, although there are no more questions";
  if (wrong) throw new DisputeError("ANSWER_WRONG", wrong, { turn });
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

/** The sides that lose if nobody moves in time. `undefined` while there is time. */
export function timedOut(match: Match, now: number): readonly Side[] | undefined {
  if (now <= deadlineOf(match)) return undefined;
  return isRunning(match.game) ? [match.turn] : [0, 1];
}
