/**
 * The bond that each side of a dispute posts for the other side's gas (contracts/interfaces/IGasBonds.sol):
 * which moves post it, and how much it should be.
 */
import { type Address, parseGwei, type PublicClient, zeroAddress } from "viem";
import { isRunning } from "../../game/bisection.ts";
import { ABIS } from "../contracts.ts";
import type { Match } from "./match.ts";

/**
 * The most gas that one side's transactions use: half of the moves of the longest dispute about a model of
 * 10^12 parameters, opening, pairing and closing, and the largest one-step proof. A test compares it with the
 * estimate of disputes.
 */
const SIDE_GAS = 2_500_000n;
/** Wei for each unit of gas, as on a busy day of a public chain. */
const GAS_PRICE = parseGwei("20");
/** The factor by which gas may become more expensive before the bond no longer covers it. */
const MARGIN = 2n;
/** The bond by default, in wei. */
export const DEFAULT_GAS_BOND = SIDE_GAS * GAS_PRICE * MARGIN;

/** How many sides have posted their bonds: those that have moved. */
export function sidesMoved(match: Match): 0 | 1 | 2 {
  const { game, shown } = match;
  if (!isRunning(game)) return 2;
  if (shown === undefined) return 0;
  return game.phase === "opening" && game.level.name === "segment" ? 1 : 2;
}

/** What the next move posts in a game with this bond. @returns wei */
export function bondDue(match: Match, gasBond: bigint): bigint {
  return sidesMoved(match) < 2 ? gasBond : 0n;
}

/**
 * What the first move of each side posts in a game, in wei. `undefined` without a game, or for another kind
 * of contract.
 */
export async function bondOf(client: PublicClient, game: Address): Promise<bigint | undefined> {
  if (game === zeroAddress) return undefined;
  return client.readContract({ address: game, abi: ABIS.game, functionName: "gasBond" }).catch(() => undefined);
}

/** What an owner may withdraw from a game, in wei. 0 without a game, or for another kind of contract. */
export async function bondCredit(client: PublicClient, game: Address | undefined, owner: Address): Promise<bigint> {
  if (game === undefined || game === zeroAddress) return 0n;
  const call = { address: game, abi: ABIS.game, functionName: "creditOf", args: [owner] } as const;
  return client.readContract(call).catch(() => 0n);
}
