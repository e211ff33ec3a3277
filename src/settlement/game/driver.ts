/** Plays all claims of a game in this process until it is over: each side sends what is due in turn. */
import { type Address, decodeFunctionData, type Hex } from "viem";
import type { LocalAccount } from "viem/accounts";
import { DisputeError } from "../../errors/index.ts";
import type { Prover } from "../../game/prover.ts";
import type { Witness } from "../../referee/witness.ts";
import { ABIS } from "../contracts.ts";
import type { Session } from "../session.ts";
import { readTask, type TaskView } from "../task.ts";
import { Caller, type ContractCall } from "../transactions/caller.ts";
import { caseOf } from "./case.ts";
import type { SignatureOf } from "./consent.ts";
import { Defender } from "./defender.ts";
import type { DueCall } from "./due-call.ts";
import type { GameFacts } from "./facts.ts";
import type { GamePlace } from "./follow.ts";

/** A transaction of the game. */
export interface GameMove {
  readonly what: DueCall["what"];
  /** The number of the player that moved. */
  readonly by: number;
  /** The place of the dispute, for people. Empty if the move does not belong to one dispute. */
  readonly at: string;
  readonly gas: number;
  /** Bytes of calldata. */
  readonly bytes: number;
  /** Wei that were sent with it: the bond, with a player's first move. */
  readonly value: bigint;
}

/** A party that plays in this process. */
export interface Player {
  /** Sends the calls. */
  readonly account: LocalAccount;
  readonly prover: Prover<Witness>;
  /** The owner of the claim, and what it has signed, if another account plays for it. */
  readonly for?: { readonly owner: Address; readonly signatureOf: SignatureOf };
}

/**
 * Plays all claims of a task in the game, until the game is over.
 * @param onMove is called after each transaction
 * @throws {DisputeError} when nobody has a move, but the game is not over
 */
export async function playOut(
  session: Session,
  task: Hex,
  facts: GameFacts,
  players: readonly Player[],
  onMove?: (move: GameMove) => void,
): Promise<{ moves: GameMove[]; view: TaskView }> {
  const { terms } = await readTask(session.source, task);
  const place = gameAt(session, terms.game);
  const sides = players.map(({ account, prover, for: played }) => ({
    defender: new Defender(place, facts, prover, played?.owner ?? account.address, played?.signatureOf),
    caller: Caller.shortLived(session, account),
  }));
  const moves: GameMove[] = [];
  for (let idle = 0; idle < sides.length; )
    for (const [by, { defender, caller }] of sides.entries()) {
      const view = await readTask(session.source, task);
      if (view.phase !== "Playing") return { moves, view };
      const [due] = await defender.due(caseOf(view));
      idle = due ? 0 : idle + 1;
      if (!due) continue;
      const { what, data, at = "", value = 0n } = due;
      const { gasUsed } = await caller.call(gameCall(place, due));
      const move = { what, by, at, gas: Number(gasUsed), bytes: (data.length - 2) / 2, value };
      moves.push(move);
      onMove?.(move);
    }
  throw new DisputeError("STUCK", "neither side has a move, but the game is not over", { task });
}

/** A game of a deployment, with what is needed to read its events. */
export function gameAt({ client, source }: Session, game: GamePlace["game"]): GamePlace {
  return { client, game, fromBlock: source.fromBlock, ...(source.logs && { logs: source.logs }) };
}

/** A call of a game, as an account sends it. */
export function gameCall({ game }: GamePlace, { data, value = 0n }: DueCall): ContractCall {
  const { functionName, args = [] } = decodeFunctionData({ abi: ABIS.game, data });
  return { contract: "game", to: game, functionName, args, value };
}
