/** What holds for all games of one contract about one job: its clocks, its bond, and its rounds. */
import { disputeGameAbi } from "../abi/dispute-game.ts";
import type { GameFacts } from "./facts.ts";
import type { GamePlace } from "./follow.ts";
import type { Pace } from "./match.ts";

/** The rules of a game about a job. */
export interface Rules {
  readonly pace: Pace;
  /** What each player posts once, in wei. */
  readonly gasBond: bigint;
  /** How long a round of the knock-out lasts at most, in seconds. */
  readonly round: number;
}

/** Reads the rules of a game from the chain. */
export async function readRules({ client, game }: GamePlace, { facts }: GameFacts): Promise<Rules> {
  const contract = { address: game, abi: disputeGameAbi } as const;
  const args = [BigInt(facts.parts.steps), BigInt(facts.commitEvery)] as const;
  const [pace, gasBond, round] = await Promise.all([
    client.readContract({ ...contract, functionName: "pace" }),
    client.readContract({ ...contract, functionName: "gasBond" }),
    client.readContract({ ...contract, functionName: "longestRound", args }),
  ]);
  return { pace, gasBond, round: Number(round) };
}
