/** The defence of one claim without a terminal: both sides look and move at the same time, as on a real chain. */
import { zeroAddress } from "viem";
import { expect, test } from "vitest";
import { signOpening } from "../../../src/claims/opening.ts";
import { fromHex } from "../../../src/encoding/bytes.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import type { DueCall } from "../../../src/settlement/game/due-call.ts";
import { defendClaim } from "../../../src/settlement/game/defence.ts";
import { playOut } from "../../../src/settlement/game/driver.ts";
import type { SignatureOf } from "../../../src/settlement/game/consent.ts";
import { GameFacts } from "../../../src/settlement/game/facts.ts";
import { jobTermsOf } from "../../../src/settlement/job-terms.ts";
import { bringBeforeGame } from "../../../src/settlement/local/dispute.ts";
import { publicPrivateKey } from "../../../src/settlement/local/chain.ts";
import { localAccount, openLocalSettlement } from "../../../src/settlement/local/settlement.ts";
import { termsOf, withTimeToPlay } from "../../../src/settlement/terms.ts";
import { Caller } from "../../../src/settlement/transactions/caller.ts";
import { bondCredit } from "../../../src/settlement/game/bond.ts";
import { disputeRemembered } from "../../referee/remembered-dispute.ts";
import type { Fault } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

const DAY = 86_400;
const FAULT: Fault = { step: 2, at: { kernel: 2 }, element: 5, flip: 0x3f000001 };
const GAME = { pace: { clock: DAY, response: 600, recompute: 3600 }, gasBond: 10n ** 17n };
const job = tinyJob(3);

test("two claims that are defended at once end as the referee says", async () => {
  const { runs, runRoots } = await disputeRemembered({ job, faults: [[FAULT], []] });
  const [client, ...providers] = [0, 1, 2].map(localAccount);
  const { session, close } = await openLocalSettlement({
    members: [client.address],
    threshold: 1,
    unbondingPeriod: 60 * DAY,
    game: GAME,
  });
  try {
    const { outline, commitEvery } = runs[0];
    const choice = { client: client.address, reward: 10n, committee: zeroAddress, game: session.deployment.game! };
    const terms = await withTimeToPlay(session.client, termsOf(jobTermsOf(outline, commitEvery), choice));
    const task = await bringBeforeGame(session, terms, client, providers, runRoots);
    const facts = new GameFacts(outline, commitEvery);
    const options = { everyMillis: 50, escalate: true, untilDecided: true };
    const planned: string[] = [];
    const look = await defendClaim(
      session,
      task,
      facts,
      { address: providers[0].address, prover: trainingProver(runs[0]) },
      {
        ...options,
        once: true,
        send: async ({ functionName }) => void planned.push(functionName),
      },
    );
    expect([look, planned]).toEqual([undefined, ["open"]]);
    const carried: DueCall["what"][] = [];
    const ended = await Promise.all(
      providers.map((account, i) => {
        const caller = Caller.shortLived(session, account);
        const own = { address: account.address, prover: trainingProver(runs[i]) };
        return defendClaim(session, task, facts, own, {
          ...options,
          send: (call) => caller.call(call),
          onCall: ({ what }) => carried.push(what as DueCall["what"]),
        });
      }),
    );
    expect(ended.map((defended) => defended!.out)).toEqual([true, false]);
    expect(ended[1]!.view.seats.map(({ out }) => out)).toEqual([true, false]);
    expect(new Set(carried)).toEqual(new Set(["open", "pair", "move", "prove", "close"]));
    const stranger = { address: client.address, prover: trainingProver(runs[1]) };
    const send = () => Promise.reject(new Error("nothing is due"));
    await expect(defendClaim(session, task, facts, stranger, { ...options, send })).rejects.toThrow("has no seat");
  } finally {
    await close();
  }
});

test("an account with the owner's signatures plays for a claim, and the owner gets the bonds", async () => {
  const { runs, runRoots } = await disputeRemembered({ job, commitEvery: 3, faults: [[FAULT], []] });
  const [client, liar, owner, stranger] = [0, 1, 2, 3].map(localAccount);
  const settlement = { members: [client.address], threshold: 1, unbondingPeriod: 60 * DAY, game: GAME };
  const { session, close } = await openLocalSettlement(settlement);
  try {
    const { outline, commitEvery } = runs[0];
    const choice = { client: client.address, reward: 10n, committee: zeroAddress, game: session.deployment.game! };
    const terms = await withTimeToPlay(session.client, termsOf(jobTermsOf(outline, commitEvery), choice));
    const task = await bringBeforeGame(session, terms, client, [liar, owner], runRoots);
    const nonce = () => session.client.getTransactionCount({ address: owner.address });
    const before = await nonce();
    const key = fromHex(publicPrivateKey(2), 32);
    const signed: string[] = [];
    const signatureOf: SignatureOf = (opening) => {
      signed.push(opening.tree);
      return signOpening(opening, key);
    };
    const players = [
      { account: liar, prover: trainingProver(runs[0]) },
      { account: stranger, prover: trainingProver(runs[1]), for: { owner: owner.address, signatureOf } },
    ];
    const { view } = await playOut(session, task, new GameFacts(outline, commitEvery), players);
    expect(view.seats.map(({ out }) => out)).toEqual([true, false]);
    expect(signed).toEqual(["step", "operator", "fold"]);
    expect(await nonce()).toBe(before);
    const credits = [owner, stranger].map(({ address }) => bondCredit(session.client, terms.game, address));
    expect(await Promise.all(credits)).toEqual([(3n * GAME.gasBond) / 2n, 0n]);
  } finally {
    await close();
  }
});
