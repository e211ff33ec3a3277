/** The terms of a task. What the client does not choose has defaults that follow from its choices. */
import { type Address, bytesToHex, type Hex, type PublicClient, zeroAddress } from "viem";
import { ChainError, messageOf, UsageError } from "../errors/index.ts";
import { ABIS } from "./contracts.ts";
import { isForeign } from "./foreign.ts";
import type { JobTerms } from "./job-terms.ts";
import type { Terms } from "./task.ts";

const DAY = 86_400;
/** How long each stage of a task lasts by default, in seconds. */
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

/** What a client chooses. Amounts are in the token's smallest units. */
export interface TermsChoice {
  readonly client: Address;
  /** The reward of each provider whose claim stands at the end. */
  readonly reward: bigint;
  /** How many providers run the job, 2 to 16. Default: 2. */
  readonly providers?: number;
  /** The stake of each provider. Default: 10 rewards. */
  readonly stake?: bigint | undefined;
  /** The bond of a challenger. Default: half the stake. */
  readonly bond?: bigint | undefined;
  /** What a demanded chunk costs the client. Default: a tenth of the reward. */
  readonly chunkPrice?: bigint | undefined;
  /** How many chunks the client may demand, up to 64. Default: 3. */
  readonly maxDemands?: number;
  /** The committee that decides disputes. The zero address if only the game decides. */
  readonly committee: Address;
  /** The game that decides when a loser escalates. Default: none. */
  readonly game?: Address;
  /** The contract that says who may take a seat. Default: none, so anyone with enough stake may. */
  readonly seatPolicy?: Address;
  /** Makes otherwise equal tasks different. Default: random. */
  readonly salt?: Hex | undefined;
  /** Seconds. Periods that are not given have their defaults. */
  readonly periods?: Partial<Terms["periods"]>;
}

/** @throws {UsageError} when there is neither a committee nor a game */
export function termsOf(job: JobTerms, choice: TermsChoice): Terms {
  const { client, reward, committee, game = zeroAddress, stake = 10n * reward } = choice;
  if (committee === zeroAddress && game === zeroAddress)
    throw new UsageError("CONFLICT", "a task needs a committee or a game that decides disputes; name one");
  return {
    client,
    salt: choice.salt ?? bytesToHex(crypto.getRandomValues(new Uint8Array(32))),
    ...job,
    providers: choice.providers ?? 2,
    maxDemands: choice.maxDemands ?? 3,
    reward,
    stake,
    bond: choice.bond ?? stake / 2n,
    chunkPrice: choice.chunkPrice ?? reward / 10n,
    committee,
    game,
    seatPolicy: choice.seatPolicy ?? zeroAddress,
    periods: { ...DEFAULT_PERIODS, ...choice.periods },
  };
}

/**
 * The terms, with at least the time that their game may take. The manager refuses less.
 * @throws {ChainError} if the address is not a game
 */
export async function withTimeToPlay(client: PublicClient, terms: Terms): Promise<Terms> {
  const { periods } = terms;
  return { ...terms, periods: { ...periods, toPlay: Math.max(periods.toPlay, await longestGame(client, terms)) } };
}

/**
 * The longest time that the game of a task may take, in seconds. 0 without a game.
 * @throws {ChainError} if the address is not a game
 */
export async function longestGame(client: PublicClient, terms: Terms): Promise<number> {
  const { game, steps, commitEvery } = terms;
  if (game === zeroAddress) return 0;
  const args = [BigInt(steps), BigInt(commitEvery)] as const;
  const longest = await client
    .readContract({ address: game, abi: ABIS.game, functionName: "longestGame", args })
    .catch((cause: unknown) => {
      if (!isForeign(cause)) throw cause;
      throw new ChainError(
        "CONTRACT_KIND",
        `${game} is not a game (${messageOf(cause).split("\n")[0]}); give the address of a game that \`verde chain deploy\` made`,
        { game },
      );
    });
  return Number(longest);
}
