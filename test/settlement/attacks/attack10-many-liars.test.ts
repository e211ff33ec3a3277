/**
 * Attack 10: many liars challenge one honest claim, each with another lie. When all pairs played at once, an honest seat had
 * a dispute with each of them at the same time, and one missed deadline in any of them cost its stake. Now claims meet in a
 * knock-out: the honest seat has one opponent at a time, posts one bond, and is alone after ⌈log2 c⌉ rounds of c claims.
 *
 * `VERDE_SWEEP=1` plays 23 claims too, as many as a task of two providers can have.
 */
import { type Hex, numberToHex, parseEther, parseEventLogs, zeroAddress } from "viem";
import { afterEach, expect, test } from "vitest";
import { outlineOf } from "../../../src/job/closed.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { disputeGameAbi } from "../../../src/settlement/abi/dispute-game.ts";
import { challengeCommitment } from "../../../src/settlement/commitment.ts";
import { caseOf } from "../../../src/settlement/game/case.ts";
import { SIDE_GAS } from "../../../src/settlement/game/bond.ts";
import { defendClaim } from "../../../src/settlement/game/defence.ts";
import { Defender } from "../../../src/settlement/game/defender.ts";
import { gameAt, gameCall } from "../../../src/settlement/game/driver.ts";
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
import { type RememberedRun, rememberedRun } from "../../referee/remembered-run.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

const JOB = tinyJob(2);
const FACTS = new GameFacts(outlineOf(JOB), 1);
const GAS_BOND = 10n ** 17n;
const { pace, periods } = PROFILES.local;
/** Accounts: the two honest providers, and the first of the liars. */
const [HONEST, OTHER, FIRST_LIAR] = [1, 2, 3];

/** What the honest seat did, and when the dispute was over, in seconds since it came before the game. */
interface Played {
  readonly gas: number;
  readonly transactions: number;
  /** Wei that it has sent. */
  readonly sent: bigint;
  readonly opponents: number;
  readonly seconds: number;
}

let settlement: LocalSettlement | undefined;
afterEach(async () => {
  await settlement?.close();
  settlement = undefined;
});

/** Two honest providers, and as many liars as make this number of claims. */
class Knockout {
  readonly settlement: LocalSettlement;
  readonly terms: Terms;
  readonly task: Hex;
  readonly truth: RememberedRun;
  readonly lies: readonly RememberedRun[];

  private constructor(from: LocalSettlement, terms: Terms, task: Hex, truth: RememberedRun, lies: RememberedRun[]) {
    this.settlement = from;
    this.terms = terms;
    this.task = task;
    this.truth = truth;
    this.lies = lies;
  }

  static async open(claims: number): Promise<Knockout> {
    const truth = await rememberedRun(JOB, 1);
    const lies: RememberedRun[] = [];
    for (let i = 1; i < claims; i++)
      lies.push(await rememberedRun(JOB, 1, [{ step: 1 + (i % 2), at: { entry: 0 }, element: 5, flip: i }]));
    const client = localAccount(0);
    const game = { pace, gasBond: GAS_BOND };
    settlement = await openLocalSettlement({
      members: [client.address],
      threshold: 1,
      unbondingPeriod: 86_400,
      game,
    });
    const { session } = settlement;
    const choice = {
      client: client.address,
      reward: 10n,
      committee: zeroAddress,
      game: session.deployment.game!,
      // Every transaction takes a second.
      periods: { ...periods, toChallenge: 1_200, toReveal: 1_200 },
    };
    const terms = await withTimeToPlay(session.client, termsOf(jobTermsOf(outlineOf(JOB), 1), choice));
    const providers = [localAccount(HONEST), localAccount(OTHER)];
    const task = await bringBeforeGame(session, terms, client, providers, [truth.runRoot, truth.runRoot]);
    const made = new Knockout(settlement, terms, task, truth, lies);
    await made.challenge();
    return made;
  }

  private async challenge(): Promise<void> {
    const { session } = this.settlement;
    const standing = hex(this.truth.runRoot);
    for (const [i, { runRoot }] of this.lies.entries()) {
      const account = localAccount(FIRST_LIAR + i);
      await this.ask("hardhat_setBalance", account.address, numberToHex(parseEther("10")));
      await mintTokens(session, account, "100");
      const caller = Caller.shortLived(session, account);
      const send = (contract: "token" | "vault" | "manager", functionName: string, args: unknown[], value = 0n) =>
        caller.call({ contract, functionName, args, value });
      await send("token", "approve", [session.deployment.vault, this.terms.bond]);
      await send("vault", "deposit", [this.terms.bond]);
      const root = hex(runRoot);
      const place = { task: this.task, standing };
      const commitment = challengeCommitment(session.deployment, place, account.address, root, this.task);
      await send("manager", "challenge", [this.terms, standing, commitment], GAS_BOND);
    }
    await this.pass((await this.view()).deadline - (await this.now()) + 1);
    const anyone = Caller.shortLived(session, localAccount(0));
    await anyone.call({ contract: "manager", functionName: "expire", args: [this.terms] });
    for (const [i, { runRoot }] of this.lies.entries()) {
      const args = [this.terms, localAccount(FIRST_LIAR + i).address, hex(runRoot), this.task];
      await anyone.call({ contract: "manager", functionName: "revealChallenge", args });
    }
  }

  ask(method: string, ...params: unknown[]): Promise<unknown> {
    return this.settlement.session.client.request({ method, params } as never);
  }

  view() {
    return readTask(this.settlement.session.source, this.task);
  }

  async now(): Promise<number> {
    return Number((await this.settlement.session.client.getBlock()).timestamp);
  }

  async pass(seconds: number): Promise<void> {
    await this.ask("evm_increaseTime", numberToHex(seconds));
    await this.ask("evm_mine");
  }

  /** What a liar may do, sent as far as the chain takes it. */
  async lie(liar: number): Promise<number> {
    const { session } = this.settlement;
    const account = localAccount(FIRST_LIAR + liar);
    const place = gameAt(session, this.terms.game);
    const player = new Defender(place, FACTS, trainingProver(this.lies[liar]), account.address);
    const view = await this.view();
    if (view.phase !== "Playing") return 0;
    let sent = 0;
    for (const call of await player.due(caseOf(view)))
      sent += await Caller.shortLived(session, account)
        .call(gameCall(place, call))
        .then(
          () => 1,
          () => 0,
        );
    return sent;
  }

  /** The disputes of the honest seat: all of them, and those that can still put it out. */
  async disputes(): Promise<{ all: number; live: number }> {
    const { client, source } = this.settlement.session;
    const logs = await client.getLogs({ address: this.terms.game, fromBlock: source.fromBlock });
    const events = parseEventLogs({ abi: disputeGameAbi, logs });
    const ended = new Set(events.flatMap(({ eventName, args }) => (eventName === "Ended" ? [args.dispute] : [])));
    const honest = localAccount(HONEST).address;
    const own = events.flatMap(({ eventName, args }) =>
      eventName === "Started" && args.context.owners.includes(honest) ? [args] : [],
    );
    let live = 0;
    for (const { dispute, context } of own) {
      const args = [context.players] as const;
      const call = { address: this.terms.game, abi: disputeGameAbi, functionName: "bracketOf", args } as const;
      const { standing } = await client.readContract(call);
      const stands = (shift: bigint) => ((standing >> Number((BigInt(context.players) >> shift) & 0xffn)) & 1) === 1;
      if (!ended.has(dispute) && stands(0n) && stands(8n)) live++;
    }
    return { all: own.length, live };
  }

  /** One look of the defence of an honest seat. */
  private async look(index: number, onCall: (value: bigint, gas: bigint) => void): Promise<void> {
    const { session } = this.settlement;
    const account = localAccount(index);
    const caller = Caller.shortLived(session, account);
    let value = 0n;
    await defendClaim(
      session,
      this.task,
      FACTS,
      { address: account.address, prover: trainingProver(this.truth) },
      {
        everyMillis: 1,
        escalate: true,
        untilDecided: true,
        once: true,
        send: (call) => {
          value = call.value ?? 0n;
          return caller.call(call);
        },
        onCall: (_, { gasUsed }) => onCall(value, gasUsed),
      },
    );
  }

  /**
   * The honest seats are defended. Liars whose numbers are powers of two play, so that one of them reaches each round; the
   * others are silent once they have a seat.
   */
  async play(): Promise<Played> {
    let [gas, transactions, sent] = [0, 0, 0n];
    let moved = 0;
    const active = [...this.lies.keys()].filter((i) => ((i + 1) & i) === 0);
    const start = await this.now();
    for (let looks = 0; (await this.view()).phase === "Playing"; looks++) {
      expect(looks).toBeLessThan(400);
      moved = 0;
      await this.look(HONEST, (value, used) => {
        sent += value;
        gas += Number(used);
        transactions++;
        moved++;
      });
      expect((await this.disputes()).live).toBeLessThanOrEqual(1);
      if ((await this.view()).phase === "Playing") await this.look(OTHER, () => void moved++);
      for (const liar of active) moved += await this.lie(liar);
      if (moved === 0) await this.pass(pace.clock + 1);
    }
    const { all } = await this.disputes();
    return { gas, transactions, sent, opponents: all, seconds: (await this.now()) - start };
  }
}

const CLAIMS = process.env.VERDE_SWEEP === "1" ? [2, 8, 23] : [2, 8];

test.each(CLAIMS)("of %i claims the true one meets one other in each round", async (claims) => {
  const rounds = Math.ceil(Math.log2(claims));
  const world = await Knockout.open(claims);
  const { client } = world.settlement.session;
  const played = await world.play();
  const { seats, claims: standing } = await world.view();
  if (process.env.VERDE_SWEEP === "1") console.log(JSON.stringify({ claims, ...played, sent: `${played.sent}` }));
  expect(new Set(seats.map(({ root }) => root)).size).toBe(claims);
  expect(played.opponents).toBe(rounds);
  // One bond, whatever the number of liars, and the gas of one side in each round.
  expect(played.sent).toBe(GAS_BOND);
  expect(played.gas).toBeLessThan(rounds * Number(SIDE_GAS));
  const call = { address: world.terms.game, abi: disputeGameAbi, functionName: "longestRound" } as const;
  const round = await client.readContract({ ...call, args: [BigInt(world.terms.steps), 1n] });
  expect(played.seconds).toBeLessThanOrEqual(rounds * Number(round));
  expect(standing).toEqual([hex(world.truth.runRoot)]);
  expect(seats.map(({ out }) => out)).toEqual(seats.map((_, seat) => seat >= 2));
  // Half of each lost bond is for the two that have played.
  const credit = { address: world.terms.game, abi: disputeGameAbi, functionName: "creditOf" } as const;
  const owed = await client.readContract({ ...credit, args: [localAccount(HONEST).address] });
  expect(owed).toBe(GAS_BOND + (BigInt(claims - 1) * GAS_BOND) / 4n);
});
