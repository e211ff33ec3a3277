/**
 * Who meets whom in a bracket: a knock-out between claims. It is the counterpart of
 * `contracts/game/Knockout.sol`. A set of claims is a word: bit i stands for claim i.
 */
import type { Hex } from "viem";

/** What a player of a bracket can do. */
export interface Match {
  /** How many claims stand. */
  readonly claims: number;
  /** Whether claims fall because their round is over, and the player's is not among them. */
  readonly falls: boolean;
  /** The players that it meets now: those that stand with the claim that its own claim meets. */
  readonly opponents: readonly number[];
}

/**
 * @param players all players of a bracket. Claims are numbered in the order of their first players
 * @param own the number of the player
 * @param stands whether a player has not lost
 * @param over how many rounds are over
 */
export function matchOf(
  players: readonly { readonly claim: Hex }[],
  own: number,
  stands: (player: number) => boolean,
  over: number,
): Match {
  const distinct = [...new Set(players.map(({ claim }) => claim))];
  const numbers = players.map(({ claim }) => distinct.indexOf(claim));
  const alive = numbers.reduce((bits, claim, player) => (stands(player) ? bits | (1 << claim) : bits), 0);
  const claims = distinct.filter((_, claim) => ((alive >> claim) & 1) === 1).length;
  const left = survivors(alive, distinct.length, over);
  const falls = left !== alive && ((left >> numbers[own]) & 1) === 1;
  const now = falls ? left : alive;
  const meets = (player: number): boolean =>
    stands(own) && stands(player) && numbers[player] !== numbers[own] && meet(now, numbers[own], numbers[player]);
  return { claims, falls, opponents: [...players.keys()].filter(meets) };
}

/** The round in which two claims can meet, from 0. */
export const roundOf = (one: number, other: number): number => 31 - Math.clz32(one ^ other);

/** Whether two claims are the only ones that stand in the smallest group that holds both. */
export function meet(alive: number, one: number, other: number): boolean {
  const size = 2 << roundOf(one, other);
  return (alive & groupOf(one & ~(size - 1), size)) === ((1 << one) | (1 << other));
}

/**
 * The claims that are left when some rounds are over. Claims of a group that still play then fall together.
 * The last round is not over as long as its two claims play.
 * @param alive the claims that stand
 * @param count how many claims there were at first
 * @param over how many rounds are over
 */
export function survivors(alive: number, count: number, over: number): number {
  let left = alive;
  for (let size = 2, round = 0; round < over && size < count; size *= 2, round++)
    for (let first = 0; first < count; first += size) {
      const rivals = left & groupOf(first, size);
      if ((rivals & (rivals - 1)) !== 0) left ^= rivals;
    }
  return left;
}

const groupOf = (first: number, size: number): number => (2 ** size - 1) << first;
