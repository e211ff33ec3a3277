/** Makes the moves for a claim: a prover gives the answers, and the contract is sent the turn (spec 7.3). */
import { DisputeError } from "../../errors/index.ts";
import { type GameState, isRunning, type Machine, question, type RunningGame } from "../../game/bisection.ts";
import type { Answer } from "../../game/level.ts";
import type { Prover } from "../../game/prover.ts";
import type { Question } from "../../game/question.ts";
import { afterAnswer, asksReply, type Match, type Turn } from "./match.ts";
import { roundOf, roundQuestions } from "./round.ts";

/**
 * The turn of the side to move.
 * @throws {DisputeError} when the prover has no answer, so that the claim can't be defended
 */
export async function makeTurn(machine: Machine, prover: Pick<Prover<unknown>, "answer">, match: Match): Promise<Turn> {
  const answer = async (asked: Question, { level }: RunningGame): Promise<Answer> => {
    const given = await prover.answer(asked);
    if (!given)
      throw new DisputeError(
        "ANSWER_MISSING",
        `there is no answer to the ${asked.kind} in the ${level.name} tree; restore the trace and its checkpoints`,
      );
    return given;
  };
  const reply: Answer[] = [];
  let game: GameState = match.game;
  while (asksReply(match, game)) {
    const given = await answer(question(game), game);
    game = afterAnswer(machine, match, game, given);
    reply.push(given);
  }
  if (!isRunning(game)) return { reply, next: undefined };
  const next: Answer[] = [];
  for (const asked of roundQuestions(roundOf(game))) next.push(await answer(asked, game));
  return { reply, next: next.flat() };
}
