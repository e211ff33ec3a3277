/** A task on a chain: from its posting to the payment, and to the refund. */
import { beforeAll, describe, expect, test } from "vitest";
import { type Chain, openChain, read, RICH } from "./chain.ts";
import { accountOf, LIE, Play, REWARD, STAKE, TRUTH } from "./task.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await openChain();
});

describe("a task", () => {
  test("whose providers agree pays them", async () => {
    const play = await Play.of(chain);
    await play.post();
    expect(await play.state()).toBe("Open");
    await play.accept(0);
    await play.accept(1);
    expect(await play.state()).toBe("Accepted");
    await play.commit(0, TRUTH);
    await play.commit(1, TRUTH);
    expect(await play.state()).toBe("Accepted");
    await play.reveal(0, TRUTH);
    expect(await play.state()).toBe("Committed");
    await play.reveal(1, TRUTH);
    expect(await play.state()).toBe("Revealed");
    await play.compare();
    expect(await play.state()).toBe("Challengeable");
    await play.wait();
    await play.finalize();
    expect(await play.state()).toBe("Final");
    for (const seat of [0, 1]) {
      expect(await accountOf(chain, play.owner(seat))).toMatchObject({ active: RICH, exposed: 0n, credit: REWARD });
      await play.claim(play.owner(seat));
      expect(await read(chain, "token", "balanceOf", [play.owner(seat)])).toBe(RICH + REWARD);
    }
    expect(await read(chain, "vault", "escrow", [])).toBe(0n);
  });

  test("whose providers differ is refunded without a loss if nobody judges it", async () => {
    const play = await Play.of(chain, { salt: LIE });
    await play.claims(TRUTH, LIE);
    expect(await play.state()).toBe("Disputed Judging");
    expect((await accountOf(chain, play.owner(0))).exposed).toBe(STAKE);
    await play.wait();
    await play.expire();
    expect(await play.state()).toBe("Refunded");
    expect((await accountOf(chain, play.owner(0))).exposed).toBe(0n);
    expect((await accountOf(chain, play.terms.client)).credit).toBe(2n * REWARD);
  });
});
