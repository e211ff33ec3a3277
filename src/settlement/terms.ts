/** The terms of a task: what a client does not choose follows from what it does. */
import { type Address, bytesToHex, type Hex, type PublicClient, zeroAddress } from "viem";
import { ChainError, messageOf, UsageError } from "../errors/index.ts";
import { ABIS } from "./contracts.ts";
import type { JobTerms } from "./job-terms.ts";
import type { Terms } from "./task.ts";

const DAY = 86_400;
/** How long each stage of a task lasts unless the client chooses otherwise, in seconds. */
export const DEFAULT_PERIODS: Readonly<Terms["periods"]> = {
  toAccept: DAY,
  toCommit: 2 * DAY,
  toReveal: DAY,
  toChallenge: DAY,
  toJudge: DAY,
  toEscalate: DAY,
  toPlay: 2 * DAY,
  toAnswer: DAY,
};

/** What a client chooses; amounts are in the token's smallest units. */
export interface TermsChoice {
  readonly client: Address;
  /** To each provider whose claim stands at the end. */
  readonly reward: bigint;
  /** How many run the job, 2 to 16; 2 unless given. */
  readonly providers?: number;
  /** Of each provider; 10 rewards unless given. */
  readonly stake?: bigint | undefined;
  /** Of a challenger; half the stake unless given. */
  readonly bond?: bigint | undefined;
  /** What a demanded chunk costs the client; a tenth of the reward unless given. */
  readonly chunkPrice?: bigint | undefined;
  /** How often a claim may be challenged, up to 8; 2 unless given. */
  readonly maxChallenges?: number;
  /** How many chunks the client may demand, up to 64; 3 unless given. */
  readonly maxDemands?: number;
  /** Who decides disputes; the zero address where the game alone does. */
  readonly committee: Address;
  /** Who decides when a loser escalates; nobody unless given. */
  readonly game?: Address;
  /** Tells equal tasks apart; random unless given. */
  readonly salt?: Hex | undefined;
  /** Seconds; those that are not given are the defaults. */
  readonly periods?: Partial<Terms["periods"]>;
}

/** @throws {UsageError} when nobody is named who would decide disputes */
export function termsOf(job: JobTerms, choice: TermsChoice): Terms {
  const { client, reward, committee, game = zeroAddress, stake = 10n * reward } = choice;
  if (committee === zeroAddress && game === zeroAddress)
    throw new UsageError("CONFLICT", "a task needs a committee or a game that decides disputes");
  return {
    client,
    salt: choice.salt ?? bytesToHex(crypto.getRandomValues(new Uint8Array(32))),
    ...job,
    providers: choice.providers ?? 2,
    maxChallenges: choice.maxChallenges ?? 2,
    maxDemands: choice.maxDemands ?? 3,
    reward,
    stake,
    bond: choice.bond ?? stake / 2n,
    chunkPrice: choice.chunkPrice ?? reward / 10n,
    committee,
    game,
    periods: { ...DEFAULT_PERIODS, ...choice.periods },
  };
}

/** Terms with at least the time that a game about them may take; the manager refuses less. @throws {ChainError} for what is no game */
export async function withTimeToPlay(client: PublicClient, terms: Terms): Promise<Terms> {
  const { game, steps, commitEvery, periods } = terms;
  if (game === zeroAddress) return terms;
  const args = [BigInt(steps), BigInt(commitEvery)] as const;
  const longest = await client
    .readContract({ address: game, abi: ABIS.game, functionName: "longestGame", args })
    .catch((cause: unknown) => {
      throw new ChainError(
        "CONTRACT_KIND",
        `${game} is no game (${messageOf(cause).split("\n")[0]}); give the address of a game that \`verde chain deploy\` made`,
        { game },
      );
    });
  return { ...terms, periods: { ...periods, toPlay: Math.max(periods.toPlay, Number(longest)) } };
}
