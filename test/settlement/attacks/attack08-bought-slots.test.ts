/**
 * Both providers lie, and their friends challenge with junk: one plays another lie, one copies the lie that stands, one
 * never reveals. Two honest challengers come last. All are in one dispute, and the defence of the honest ones wins it.
 */
import { type Hex, maxUint256, zeroAddress } from "viem";
import type { LocalAccount } from "viem/accounts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ChainError } from "../../../src/errors/index.ts";
import { outlineOf } from "../../../src/job/closed.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { challengeCommitment } from "../../../src/settlement/commitment.ts";
import { defendClaim } from "../../../src/settlement/game/defence.ts";
import type { Defended } from "../../../src/settlement/game/defence-options.ts";
import { GameFacts, hex } from "../../../src/settlement/game/facts.ts";
import { jobTermsOf } from "../../../src/settlement/job-terms.ts";
import { bringBeforeGame } from "../../../src/settlement/local/dispute.ts";
import {
  localAccount,
  type LocalSettlement,
  mintTokens,
  openLocalSettlement,
} from "../../../src/settlement/local/settlement.ts";
import { PROFILES } from "../../../src/settlement/profile.ts";
import { readTask, type Terms } from "../../../src/settlement/task.ts";
import { termsOf, withTimeToPlay } from "../../../src/settlement/terms.ts";
import { Caller } from "../../../src/settlement/transactions/caller.ts";
import { type Fault, type RememberedRun, rememberedRun } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

const JOB = tinyJob(3);
const GAS_BOND = 10n ** 17n;
const { pace, periods } = PROFILES.local;
const fault = (step: number, kernel: number): Fault[] => [{ step, at: { kernel }, element: 5, flip: 0x3f000001 }];

interface Party {
  account: LocalAccount;
  run: RememberedRun;
  /** Whether it acts at all after its challenge. */
  isSilent?: boolean;
  ended?: Defended;
}

let settlement: LocalSettlement;
let terms: Terms;
let task: Hex;
let honest: RememberedRun;
let parties: Record<"provider" | "other" | "junk" | "copy" | "silent" | "first" | "second", Party>;

const call = (
  account: LocalAccount,
  contract: "token" | "vault" | "manager",
  functionName: string,
  ...args: unknown[]
) => Caller.shortLived(settlement.session, account).call({ contract, functionName, args });

const ask = (method: string, ...params: unknown[]) => settlement.session.client.request({ method, params } as never);

const view = () => readTask(settlement.session.source, task);

beforeAll(async () => {
  honest = await rememberedRun(JOB, 1);
  const [lie, junk] = [await rememberedRun(JOB, 1, fault(2, 2)), await rememberedRun(JOB, 1, fault(1, 6))];
  const [client, one, two, ...others] = Array.from({ length: 8 }, (_, i) => localAccount(i));
  settlement = await openLocalSettlement({
    members: [client.address],
    threshold: 1,
    unbondingPeriod: 400 * 86_400,
    game: { pace, gasBond: GAS_BOND },
  });
  const { session } = settlement;
  const choice = {
    client: client.address,
    reward: 10n,
    committee: zeroAddress,
    game: session.deployment.game!,
    periods,
  };
  terms = await withTimeToPlay(session.client, termsOf(jobTermsOf(outlineOf(JOB), 1), choice));
  task = await bringBeforeGame(session, terms, client, [one, two], [lie.runRoot, lie.runRoot]);
  const [junkOwner, copyOwner, silentOwner, firstOwner, secondOwner] = others;
  parties = {
    provider: { account: one, run: lie },
    other: { account: two, run: lie },
    junk: { account: junkOwner, run: junk },
    copy: { account: copyOwner, run: lie },
    silent: { account: silentOwner, run: junk, isSilent: true },
    first: { account: firstOwner, run: honest },
    second: { account: secondOwner, run: honest },
  };
  const standing = hex(lie.runRoot);
  for (const { account, run } of Object.values(parties).slice(2)) {
    await mintTokens(session, account, "100");
    await call(account, "token", "approve", session.deployment.vault, maxUint256);
    await call(account, "vault", "deposit", terms.bond);
    const root = hex(run.runRoot);
    const commitment = challengeCommitment(session.deployment, { task, standing }, account.address, root, task);
    const args = [terms, standing, commitment];
    await Caller.shortLived(session, account).call({
      contract: "manager",
      functionName: "challenge",
      args,
      value: GAS_BOND,
    });
  }
});
afterAll(() => settlement.close());

/** One look of a party's defence. @returns how many calls it has sent */
async function look(party: Party): Promise<number> {
  let sent = 0;
  const { account, run } = party;
  const own = { address: account.address, prover: trainingProver(run) };
  const caller = Caller.shortLived(settlement.session, account);
  const looked = defendClaim(settlement.session, task, new GameFacts(outlineOf(JOB), 1), own, {
    everyMillis: 1,
    escalate: true,
    untilDecided: false,
    once: true,
    reveal: async () => ({ root: hex(run.runRoot), salt: task }),
    send: (request) => caller.call(request),
    onCall: () => void sent++,
  });
  // Another party may have been first.
  party.ended = await looked.catch((error: unknown) => {
    if (error instanceof ChainError && error.code === "VERDE_CHAIN_REFUSED") return undefined;
    throw error;
  });
  return sent;
}

test("junk challenges delay nothing, and the honest challengers win together", async () => {
  expect(await view()).toMatchObject({ state: "Challengeable", challenges: 5 });
  const { deadline: windowEnd } = await view();
  const acting = Object.values(parties).filter(({ isSilent }) => !isSilent);
  for (let looks = 0; (await view()).state !== "Final"; looks++) {
    expect(looks).toBeLessThan(200);
    let sent = 0;
    for (const party of acting) if (!party.ended) sent += await look(party);
    if (sent > 0) continue;
    await ask("evm_increaseTime", `0x${(pace.clock + 1).toString(16)}`);
    await ask("evm_mine");
  }
  for (const party of acting) party.ended ??= (await look(party), party.ended);
  const { seats, claims, challengers, dispute } = await view();
  expect(claims).toEqual([hex(honest.runRoot)]);
  expect(dispute).toBe(1);
  const fateOf = ({ account }: Party) => seats.find(({ owner }) => owner === account.address)?.out;
  expect(Object.values(parties).map(fateOf)).toEqual([true, true, true, undefined, undefined, false, false]);
  expect(challengers.map(({ owner }) => owner)).toEqual([parties.silent.account.address]);
  expect(parties.copy.ended).toMatchObject({ out: false, turnedAway: true });
  expect(parties.junk.ended).toMatchObject({ out: true });
  expect(parties.first.ended).toMatchObject({ out: false });
  // The bound of docs/settlement.md, from the end of the window, and a look's pause for each deadline.
  const { timestamp } = await settlement.session.client.getBlock();
  const { toReveal, toPlay, toAnswer } = terms.periods;
  expect(Number(timestamp) - windowEnd).toBeLessThanOrEqual(toReveal + toPlay + toAnswer + 4 * (pace.clock + 1));
});
