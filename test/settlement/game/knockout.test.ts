/** Who meets whom in a knock-out between claims, compared with the rule as it is said: groups, one inside of the other. */
import { numberToHex } from "viem";
import { describe, expect, test } from "vitest";
import { matchOf, meet, roundOf, survivors } from "../../../src/settlement/game/knockout.ts";
import { seeded } from "../attacks/faulty-node.ts";

const MOST = 24;

/** The claims of a set, by their numbers. */
const claimsOf = (set: number): number[] => Array.from({ length: MOST }, (_, i) => i).filter((i) => (set >> i) & 1);

/** The round in which two claims can meet: the first whose groups hold both. */
function firstRound(one: number, other: number): number {
  for (let round = 0; ; round++) {
    const size = 2 ** (round + 1);
    if (Math.floor(one / size) === Math.floor(other / size)) return round;
  }
}

/** The claims that are left, said slowly: round by round, group by group. The last round has one group and does not end. */
function slowSurvivors(alive: number, count: number, over: number): number {
  let left = claimsOf(alive);
  for (let round = 0; round < over && 2 ** (round + 1) < count; round++) {
    const groups = Map.groupBy(left, (claim) => Math.floor(claim / 2 ** (round + 1)));
    left = [...groups.values()].flatMap((group) => (group.length === 1 ? group : []));
  }
  return left.reduce((set, claim) => set | (1 << claim), 0);
}

describe("a knock-out", () => {
  test("lets two claims meet in the first round whose groups hold both, and when no other stands there", () => {
    const random = seeded(20261130);
    for (let one = 0; one < MOST; one++)
      for (let other = 0; other < MOST; other++) {
        if (one === other) continue;
        expect(roundOf(one, other)).toBe(firstRound(one, other));
        for (let sample = 0; sample < 20; sample++) {
          const size = 2 ** (firstRound(one, other) + 1);
          const others = Math.floor(random() * 2 ** MOST) & (sample % 2 === 0 ? 0 : -1);
          const alive = others | (1 << one) | (1 << other);
          const inGroup = claimsOf(alive).filter((claim) => Math.floor(claim / size) === Math.floor(one / size));
          expect(meet(alive, one, other)).toBe(inGroup.length === 2);
        }
      }
  });

  test("puts out the claims of a group that still play when its round is over", () => {
    const random = seeded(20261201);
    for (let count = 2; count <= MOST; count++)
      for (let sample = 0; sample < 50; sample++) {
        const alive = Math.floor(random() * 2 ** count);
        for (let over = -1; over <= 6; over++)
          expect(survivors(alive, count, over)).toBe(slowSurvivors(alive, count, over));
      }
  });
});

describe("the match of a player", () => {
  /** Players 0 and 3 have claim 0, players 1 and 4 claim 1, players 2 and 5 claim 2. */
  const players = [0, 1, 2, 0, 1, 2].map((claim) => ({ claim: numberToHex(claim) }));
  const all = (): boolean => true;

  test("is against every player of one other claim", () => {
    expect(matchOf(players, 0, all, 0)).toEqual({ claims: 3, falls: false, opponents: [1, 4] });
    expect(matchOf(players, 4, all, 0)).toEqual({ claims: 3, falls: false, opponents: [0, 3] });
    expect(matchOf(players, 2, all, 0)).toEqual({ claims: 3, falls: false, opponents: [] });
    const without =
      (...out: number[]) =>
      (player: number) =>
        !out.includes(player);
    expect(matchOf(players, 2, without(0, 3), 0).opponents).toEqual([1, 4]);
    expect(matchOf(players, 0, without(1), 0).opponents).toEqual([4]);
    expect(matchOf(players, 0, without(0), 0).opponents).toEqual([]);
    expect(matchOf(players, 0, without(1, 2, 4, 5), 0)).toEqual({ claims: 1, falls: false, opponents: [] });
  });

  test("may begin with the fall of claims that have not played, but not of its own", () => {
    const four = [0, 1, 2, 3].map((claim) => ({ claim: numberToHex(claim) }));
    const withoutOne = (player: number) => player !== 1;
    expect(matchOf(four, 0, withoutOne, 1)).toEqual({ claims: 3, falls: true, opponents: [] });
    expect(matchOf(four, 2, withoutOne, 1)).toEqual({ claims: 3, falls: false, opponents: [3] });
    expect(matchOf(players, 2, all, 1)).toEqual({ claims: 3, falls: true, opponents: [] });
    expect(matchOf(players, 0, all, 1)).toEqual({ claims: 3, falls: false, opponents: [1, 4] });
  });
});
