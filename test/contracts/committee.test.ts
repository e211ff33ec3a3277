/** Verdicts signed with viem, as referees will sign them, and every way to misuse one. */
import { beforeEach, describe, expect, test } from "vitest";
import { type Chain, digest, errorOf, openChain } from "./chain.ts";
import { addressesOf, domainOf, sign, submit, submitSigned, verdictOf } from "./referees.ts";
import { accountOf, LIE, Play, STAKE, TRUTH } from "./task.ts";

let chain: Chain;
let play: Play;
const verdict = verdictOf([TRUTH, LIE], 2n);

beforeEach(async () => {
  chain = await openChain();
  play = await Play.of(chain);
  await play.claims(TRUTH, LIE);
});

describe("a verdict of 2 of 3 referees", () => {
  test("slashes the loser: half burned, 40% to the winner, 10% to the committee", async () => {
    await submit(play, verdict);
    expect(await play.state()).toBe("Challengeable");
    await play.wait();
    await play.finalize();
    const [winner, loser] = await Promise.all([0, 1].map((seat) => accountOf(chain, play.owner(seat))));
    expect(winner.credit).toBe(play.terms.reward + (STAKE * 40n) / 100n);
    expect(loser.credit).toBe(0n);
    expect((await accountOf(chain, chain.committee)).credit).toBe(STAKE / 10n);
  });

  test("counts once", async () => {
    await submit(play, verdict);
    expect(await errorOf(submit(play, verdict))).toBe("WrongState");
  });

  test("is refused on another chain, from another committee, for another task", async () => {
    const domain = domainOf(play);
    for (const changes of [
      { chainId: 1 },
      { verifyingContract: chain.manager },
      { task: digest("another task") },
    ] as const)
      expect(await errorOf(submit(play, verdict, undefined, { ...domain, ...changes }))).toBe("WrongSignature");
    expect(await play.state()).toBe("Disputed Judging");
  });

  test("is refused for another task of the same parties", async () => {
    const other = await Play.of(chain, { salt: digest("other") });
    await other.claims(TRUTH, LIE);
    const referees = chain.referees.slice(0, 2);
    const signatures = await Promise.all(referees.map((referee) => sign(referee, verdict, domainOf(play))));
    expect(await errorOf(submitSigned(chain, other, verdict, addressesOf(referees), signatures))).toBe(
      "WrongSignature",
    );
  });

  test("is refused after its time", async () => {
    const { timestamp } = await chain.client.getBlock();
    const late = verdictOf([TRUTH, LIE], 2n, { validUntil: timestamp });
    await chain.client.mine({ blocks: 1 });
    expect(await errorOf(submit(play, late))).toBe("VerdictExpired");
  });

  test("needs two different members", async () => {
    const [a, b] = chain.referees;
    expect(await errorOf(submit(play, verdict, [a]))).toBe("WrongSignatureCount");
    expect(await errorOf(submit(play, verdict, [a, a]))).toBe("WrongSigner");
    expect(await errorOf(submit(play, verdict, [b, a]))).toBe("WrongSigner");
    const signatures = [await sign(a, verdict, domainOf(play)), await sign(a, verdict, domainOf(play))];
    expect(await errorOf(submitSigned(chain, play, verdict, [a.address, b.address], signatures))).toBe(
      "WrongSignature",
    );
  });

  test("is about exactly the claims that stand", async () => {
    for (const [claims, losers] of [
      [[TRUTH, digest("no claim")], 2n],
      [[LIE], 1n],
      [[TRUTH, LIE, digest("no claim")], 6n],
    ] as const)
      expect(await errorOf(submit(play, verdictOf(claims, losers)))).toBe("WrongClaims");
    expect(await errorOf(submit(play, verdictOf([TRUTH, LIE], 0n)))).toBe("WrongLosers");
    expect(await errorOf(submit(play, verdictOf([TRUTH, LIE], 2n, { dispute: 2n })))).toBe("WrongDispute");
  });
});
