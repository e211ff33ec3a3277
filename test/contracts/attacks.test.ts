/** The attacks that the protocol names, one test for each, on a chain. */
import { beforeEach, describe, expect, test } from "vitest";
import { call, type Chain, digest, errorOf, openChain, pass, read, RICH } from "./chain.ts";
import { submit, verdictOf } from "./referees.ts";
import { accountOf, BOND, LIE, Play, REWARD, STAKE, TRUTH } from "./task.ts";

let chain: Chain;
beforeEach(async () => {
  chain = await openChain();
});

const balanceOf = (owner: string): Promise<bigint> => read(chain, "token", "balanceOf", [owner]);

describe("an attack is worthless or costs its author:", () => {
  test("copying another's commitment", async () => {
    const play = await Play.of(chain);
    await play.post();
    await play.accept(0);
    await play.accept(1);
    await play.commit(0, TRUTH);
    await call(chain, play.owner(1), "manager", "commit", [play.id, 1, await play.commitment(0, TRUTH)]);
    await play.reveal(0, TRUTH);
    const copied = [play.id, 1, TRUTH, play.salt(0)];
    expect(await errorOf(call(chain, play.owner(1), "manager", "reveal", copied))).toBe("CommitmentMismatch");
    await play.wait();
    await play.expire();
    expect((await accountOf(chain, play.owner(1))).active).toBe(RICH - STAKE);
  });

  test("taking another's payment by calling first", async () => {
    const play = await Play.of(chain);
    await play.claims(TRUTH, TRUTH);
    await play.wait();
    await play.finalize();
    const before = await balanceOf(chain.accounts[7]);
    await play.claim(play.owner(0));
    expect(await balanceOf(play.owner(0))).toBe(RICH + REWARD);
    expect(await balanceOf(chain.accounts[7])).toBe(before);
  });

  test("copying a challenger's claim from its transaction", async () => {
    const play = await Play.of(chain);
    await play.claims(LIE, LIE);
    // Others only see a hash that includes its owner, so a challenge of another account with this hash cannot
    // be opened.
    const seen = await play.challengeHash(2, TRUTH);
    await call(chain, chain.accounts[7], "manager", "challenge", [play.terms, LIE, seen]);
    await play.challenge(2, TRUTH);
    await play.wait();
    await play.expire();
    const opened = [play.terms, chain.accounts[7], TRUTH, play.salt(2)];
    const copied = call(chain, chain.accounts[7], "manager", "revealChallenge", opened);
    expect(await errorOf(copied)).toBe("CommitmentMismatch");
    await play.revealChallenge(2, TRUTH);
    await play.wait();
    await play.expire();
    expect(await play.state()).toBe("Disputed Judging");
    await call(chain, chain.accounts[6], "manager", "lapse", [play.terms, chain.accounts[7]]);
    expect((await accountOf(chain, chain.accounts[7])).active).toBe(RICH - BOND);
  });

  test("challenging oneself for the winners' share", async () => {
    const play = await Play.of(chain);
    await play.claims(LIE, LIE);
    // One person owns both providers and the challenger.
    await play.challengeAlone(2, TRUTH);
    await submit(play, verdictOf([LIE, TRUTH], 1n));
    await play.wait();
    await play.finalize();
    const accounts = await Promise.all([0, 1, 2].map((seat) => accountOf(chain, play.owner(seat))));
    const wealth = accounts.reduce((sum, { active, credit }) => sum + active + credit, 0n);
    expect(wealth).toBe(3n * RICH - (2n * STAKE * 60n) / 100n + REWARD);
    expect(await read(chain, "vault", "condemned", [])).toBe(STAKE);
  });

  test("waiting for the last second", async () => {
    const play = await Play.of(chain);
    await play.claims(TRUTH, TRUTH);
    const { deadline } = await read<{ deadline: number }>(chain, "manager", "taskOf", [play.id]);
    await chain.client.setNextBlockTimestamp({ timestamp: BigInt(deadline) });
    await play.challenge(2, LIE);
    // The challenge does not move the end of the window. The period for reveals begins there, and is whole.
    const now = await read<{ deadline: number }>(chain, "manager", "taskOf", [play.id]);
    expect(now.deadline).toBe(deadline);
    await chain.client.setNextBlockTimestamp({ timestamp: BigInt(deadline + 1) });
    await play.expire();
    const then = await read<{ deadline: number }>(chain, "manager", "taskOf", [play.id]);
    expect(then.deadline).toBe(deadline + 1 + play.terms.periods.toReveal);
  });

  test("leaving with the stake before the verdict", async () => {
    const play = await Play.of(chain);
    await play.claims(TRUTH, LIE);
    await call(chain, play.owner(1), "vault", "requestUnbond", [RICH]);
    await submit(play, verdictOf([TRUTH, LIE], 2n));
    expect(await accountOf(chain, play.owner(1))).toMatchObject({ active: 0n, unbonding: RICH - STAKE });
    await pass(chain, 31 * 86_400);
    await call(chain, play.owner(1), "vault", "draw", []);
    expect(await balanceOf(play.owner(1))).toBe(2n * RICH - STAKE);
  });

  test("flooding a task with claims", async () => {
    const play = await Play.of(chain);
    await play.claims(TRUTH, TRUTH);
    const seats = [2, 3, 4];
    for (const seat of seats) await play.challenge(seat, digest(`claim ${seat}`));
    await play.wait();
    await play.expire();
    for (const seat of seats) await play.revealChallenge(seat, digest(`claim ${seat}`));
    const claims = [TRUTH, ...seats.map((seat) => digest(`claim ${seat}`))];
    await submit(play, verdictOf(claims, 0b1110n));
    expect(await errorOf(play.challenge(5, LIE))).toBe("WrongState");
    await play.wait();
    await play.finalize();
    expect(await play.state()).toBe("Final");
    for (const seat of seats) expect((await accountOf(chain, play.owner(seat))).active).toBe(RICH - BOND);
    // Half is burned, a tenth is the committee's, and the two winners share the rest.
    expect((await accountOf(chain, play.owner(0))).credit).toBe(REWARD + (3n * BOND * 20n) / 100n);
  });

  test("silence of all participants", async () => {
    const play = await Play.of(chain);
    await play.post();
    await play.accept(0);
    await play.accept(1);
    await play.wait();
    await play.expire();
    expect(await play.state()).toBe("Refunded");
    for (const seat of [0, 1]) expect((await accountOf(chain, play.owner(seat))).active).toBe(RICH - STAKE);
    expect((await accountOf(chain, play.terms.client)).credit).toBe(2n * REWARD);
    await call(chain, chain.accounts[7], "vault", "burn", []);
    expect(await balanceOf("0x000000000000000000000000000000000000dEaD")).toBe(2n * STAKE);
  });

  test("moving after the state has changed, as in a reorganised chain", async () => {
    const play = await Play.of(chain);
    await play.claims(TRUTH, LIE);
    const { timestamp } = await chain.client.getBlock();
    const verdict = verdictOf([TRUTH, LIE], 2n, { validUntil: timestamp + 4n * 86_400n });
    await submit(play, verdict);
    await play.challengeAlone(2, LIE);
    // The same claims are in dispute again, but the old verdict names the old dispute.
    expect(await errorOf(submit(play, verdict))).toBe("WrongDispute");
  });
});
