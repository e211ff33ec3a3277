/** Who moves for a claim: the answers come from a prover, the turn is what the contract is sent (spec 7.3). */
import { DisputeError } from "../../errors.ts";
import { isRunning, type Machine, question } from "../../referee/game.ts";
import type { Prover } from "../../referee/prover.ts";
import { type Match, replied, type Turn } from "./match.ts";

/**
 * The turn of the side to move.
 * @throws {DisputeError} when the prover has no answer: then the claim can't be defended
 */
export async function makeTurn(machine: Machine, prover: Pick<Prover<unknown>, "answer">, match: Match): Promise<Turn> {
  const answer = async (game: Match["game"]) => {
    if (!isRunning(game)) return undefined;
    const asked = question(game);
    const given = await prover.answer(asked);
    if (!given) throw new DisputeError(`no answer to the ${asked.kind} in the ${asked.level.name} tree`);
    return given;
  };
  const reply = match.shown === undefined ? undefined : await answer(match.game);
  return { reply, next: await answer(replied(machine, match, reply)) };
}
