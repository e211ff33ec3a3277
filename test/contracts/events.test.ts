/** What an observer of the chain sees: the events of every move, by name and content. */
import { type Abi, parseEventLogs, type TransactionReceipt } from "viem";
import { beforeAll, describe, expect, test } from "vitest";
import { stakeVaultAbi } from "../../src/settlement/abi/stake-vault.ts";
import { taskManagerAbi } from "../../src/settlement/abi/task-manager.ts";
import { call, type Chain, digest, openChain, PHASES, RICH, STATES } from "./chain.ts";
import { submit, verdictOf } from "./referees.ts";
import { BOND, LIE, Play, REWARD, STAKE, TRUTH } from "./task.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await openChain();
});

type Told = [string, Record<string, unknown>];

/** The events of the vault and the manager, in order, without the task's id, states and phases as words. */
function told(receipt: TransactionReceipt): Told[] {
  const abi = [...taskManagerAbi, ...stakeVaultAbi] as Abi;
  return parseEventLogs({ abi, logs: receipt.logs }).map(({ eventName, args }) => {
    const { task: _, deadline: __, ...rest } = args as unknown as Record<string, unknown>;
    if (typeof rest.state === "number") rest.state = STATES[rest.state];
    if (typeof rest.phase === "number") rest.phase = PHASES[rest.phase];
    return [eventName as string, rest];
  });
}

const moved = (state: string, phase = "None"): Told => ["TaskMoved", { state, phase }];

describe("events", () => {
  test("of a task that is paid", async () => {
    const play = await Play.of(chain);
    expect(told(await play.post())).toEqual([["TaskPosted", { terms: play.terms }], moved("Open")]);
    expect(told(await play.accept(0))).toEqual([["SeatTaken", { seat: 0n, owner: play.owner(0) }]]);
    expect(told(await play.accept(1))).toEqual([["SeatTaken", { seat: 1n, owner: play.owner(1) }], moved("Accepted")]);
    for (const seat of [0, 1]) {
      const commitment = await play.commitment(seat, TRUTH);
      expect(told(await play.commit(seat, TRUTH))).toEqual([["ClaimCommitted", { seat: BigInt(seat), commitment }]]);
    }
    expect(told(await play.reveal(0, TRUTH))).toEqual([
      ["ClaimRevealed", { seat: 0n, root: TRUTH }],
      moved("Committed"),
    ]);
    expect(told(await play.reveal(1, TRUTH))).toEqual([
      ["ClaimRevealed", { seat: 1n, root: TRUTH }],
      moved("Revealed"),
    ]);
    expect(told(await play.compare())).toEqual([moved("Challengeable")]);
    const commitment = await play.challengeHash(2, LIE);
    expect(told(await play.challenge(2, LIE))).toEqual([["Challenged", { owner: play.owner(2), commitment }]]);
    for (const [seat, root] of [
      [3, TRUTH],
      [4, LIE],
    ] as const)
      await play.challenge(seat, root);
    await play.wait();
    expect(told(await play.expire())).toEqual([moved("Disputed", "Revealing")]);
    expect(told(await play.revealChallenge(3, TRUTH))).toEqual([["TurnedAway", { owner: play.owner(3), root: TRUTH }]]);
    expect(told(await play.revealChallenge(2, LIE))).toEqual([
      ["SeatTaken", { seat: 2n, owner: play.owner(2) }],
      ["ClaimRevealed", { seat: 2n, root: LIE }],
    ]);
    await play.wait();
    expect(told(await play.expire())).toEqual([moved("Disputed", "Judging")]);
    const lapse = await call(chain, chain.accounts[7], "manager", "lapse", [play.terms, play.owner(4)]);
    expect(told(lapse)).toEqual([
      ["ChallengeLapsed", { owner: play.owner(4), bond: BOND }],
      ["Slashed", { owner: play.owner(4), amount: BOND }],
    ]);
    const ruled = told(await submit(play, verdictOf([TRUTH, LIE], 2n)));
    expect(ruled.slice(1)).toEqual([
      ["Slashed", { owner: play.owner(2), amount: BOND }],
      ["SeatSlashed", { seat: 2n, amount: BOND }],
      ["Credited", { owner: chain.committee, amount: BOND / 10n }],
      moved("Settled"),
    ]);
    await play.wait();
    const paid = REWARD + (BOND * 20n) / 100n;
    expect(told(await play.finalize())).toEqual([
      ["Credited", { owner: play.owner(0), amount: paid }],
      ["Credited", { owner: play.owner(1), amount: paid }],
      ["TaskFinal", { root: TRUTH, winners: 2n }],
      moved("Final"),
    ]);
    expect(told(await play.claim(play.owner(0)))).toEqual([["Claimed", { owner: play.owner(0), amount: paid }]]);
    const [burned] = told(await call(chain, chain.accounts[7], "vault", "burn", []));
    expect(burned).toEqual(["Burned", { amount: BOND + BOND / 2n }]);
  });

  test("of a dispute in which both are wrong", async () => {
    const play = await Play.of(chain, { salt: digest("dispute") });
    await play.claims(TRUTH, LIE);
    const verdict = verdictOf([TRUTH, LIE], 3n);
    const { dispute, claims, losers, file } = verdict;
    expect(told(await submit(play, verdict))).toEqual([
      ["Ruled", { dispute, authority: chain.committee, resolution: { dispute, claims, losers, verdict: file } }],
      ["Slashed", { owner: play.owner(0), amount: STAKE }],
      ["SeatSlashed", { seat: 0n, amount: STAKE }],
      ["Slashed", { owner: play.owner(1), amount: STAKE }],
      ["SeatSlashed", { seat: 1n, amount: STAKE }],
      ["Credited", { owner: chain.committee, amount: STAKE / 5n }],
      ["Credited", { owner: play.terms.client, amount: 2n * REWARD }],
      ["TaskRefunded", { amount: 2n * REWARD }],
      moved("Refunded"),
    ]);
  });

  test("of the vault alone", async () => {
    const owner = chain.accounts[7];
    const [deposited] = told(await call(chain, owner, "vault", "deposit", [5n]));
    expect(deposited).toEqual(["Deposited", { owner, amount: 5n }]);
    const [requested] = told(await call(chain, owner, "vault", "requestUnbond", [RICH]));
    expect(requested).toMatchObject(["UnbondRequested", { owner, amount: RICH }]);
    await chain.client.increaseTime({ seconds: 31 * 86_400 });
    const [drawn] = told(await call(chain, owner, "vault", "draw", []));
    expect(drawn).toEqual(["Drawn", { owner, amount: RICH }]);
  });
});
