/** A performance of the small plan on a chain of this process, and parties that watch it. */
import { createPublicClient, createWalletClient, custom, type Hex, maxUint256, numberToHex, parseEther } from "viem";
import { type LocalAccount, privateKeyToAccount } from "viem/accounts";
import type { EthereumProvider } from "hardhat/types/providers";
import { afterAll, beforeAll, expect } from "vitest";
import { toHex } from "../../../src/encoding/bytes.ts";
import type { Plan, RoundsRecord } from "../../../src/rounds/index.ts";
import { deployContracts } from "../../../src/settlement/deploy.ts";
import { DEFAULT_GAS_BOND } from "../../../src/settlement/game/bond.ts";
import { openLocalChain } from "../../../src/settlement/local/chain.ts";
import { localAccount } from "../../../src/settlement/local/settlement.ts";
import { PostedRecord } from "../../../src/settlement/rounds/evidence.ts";
import {
  performanceEvents,
  type PerformanceView,
  readPerformance,
} from "../../../src/settlement/rounds/performance.ts";
import { roundTermsOf, shownPlan } from "../../../src/settlement/rounds/terms.ts";
import { managerOf, type PostedRounds, postedRounds } from "../../../src/settlement/rounds/terms-file.ts";
import { watchPerformance } from "../../../src/settlement/rounds/watch.ts";
import type { Watched, WatchOptions } from "../../../src/settlement/rounds/watch-options.ts";
import { type Session, sessionOf } from "../../../src/settlement/session.ts";
import { Caller, type ContractCall } from "../../../src/settlement/transactions/caller.ts";
import { secretOf, writeRecordLog } from "../../rounds/liars.ts";

const DAY = 86_400;
const EVERY = 20;

/** Somebody that watches. */
export interface Watcher {
  /** What it has sent, in order: `challenge`, `move 1`. */
  readonly acts: string[];
  readonly troubles: string[];
  /** Whether its audit is finished. */
  audited: boolean;
  /** Cuts it off from its node, or not. */
  isOut: boolean;
  readonly ended: Promise<Watched | undefined>;
}

export class WatchedRounds {
  session!: Session;
  plan!: Plan;
  private provider!: EthereumProvider;
  private readonly accounts = new Map<string, LocalAccount>();
  private performances = 0;

  constructor(plan: () => Promise<Plan>) {
    let close: () => Promise<void>;
    beforeAll(async () => {
      this.plan = await plan();
      ({ provider: this.provider, close } = await openLocalChain());
      const client = this.client(() => false);
      const deployment = await deployContracts(client, localAccount(0), {
        members: [localAccount(0).address],
        threshold: 1,
        unbondingPeriod: 60 * DAY,
        game: { pace: { clock: DAY, response: 600, recompute: 3600 }, gasBond: DEFAULT_GAS_BOND, rounds: true },
      });
      this.session = await sessionOf(client, deployment);
      const wallet = createWalletClient({ account: localAccount(0), transport: custom(this.provider) });
      for (const name of [...this.plan.participants.map((one) => one.name), "recorder", "stranger"]) {
        const account = privateKeyToAccount(toHex(secretOf(name)) as Hex);
        this.accounts.set(name, account);
        await wallet.sendTransaction({ to: account.address, value: parseEther("100"), chain: null });
      }
      this.accounts.set("client", localAccount(0));
      for (const [name, { address }] of this.accounts) {
        await this.call(name, { contract: "token", functionName: "mint", args: [address, parseEther("10000")] });
        await this.call(name, { contract: "token", functionName: "approve", args: [deployment.roundVault, maxUint256] }); // prettier-ignore
        await this.call(name, { contract: "roundVault", functionName: "deposit", args: [parseEther("1000")] });
      }
    });
    afterAll(() => close());
  }

  call(name: string, call: ContractCall, session = this.session) {
    return Caller.shortLived(session, this.accounts.get(name)!).call(call);
  }

  addressOf(name: string): Hex {
    return this.accounts.get(name)!.address;
  }

  /** Posts the plan, and has everybody join. */
  async staked(): Promise<PostedRounds> {
    const { plan, session } = this;
    const terms = roundTermsOf(plan, {
      client: this.addressOf("client"),
      salt: numberToHex(++this.performances, { size: 32 }),
      participants: plan.participants.map(({ name }) => this.addressOf(name)),
      recorder: this.addressOf("recorder"),
      stake: parseEther("10"),
      bond: parseEther("5"),
      reward: parseEther("1"),
      price: parseEther("0.1"),
      periods: { toJoin: DAY, toRecord: DAY, toChallenge: DAY, toAnswer: DAY },
    });
    await this.call("client", { contract: "roundManager", functionName: "post", args: [terms, ...shownPlan(plan)] });
    for (const [i, name] of [...plan.participants.map((one) => one.name), "recorder"].entries())
      await this.call(name, { contract: "roundManager", functionName: "join", args: [terms, BigInt(i)] });
    return postedRounds(terms, managerOf(session.deployment));
  }

  /** Posts a record, and writes its log. */
  async post(posted: PostedRounds, record: RoundsRecord): Promise<void> {
    await writeRecordLog(record);
    const root = toHex(new PostedRecord(record).root);
    await this.call("recorder", { contract: "roundManager", functionName: "postRecord", args: [posted.terms, root] });
  }

  watch(name: string, posted: PostedRounds, { folder }: RoundsRecord, options: Partial<WatchOptions> = {}): Watcher {
    const state = { isOut: false, audited: false };
    const client = this.client(() => state.isOut);
    const session: Session = { ...this.session, client, source: { ...this.session.source, client } };
    const acts: string[] = [];
    const troubles: string[] = [];
    const ended = (async () => {
      const { deployment } = this.session;
      const own = await sessionOf(client, deployment);
      return watchPerformance(own, posted, this.addressOf(name), folder, {
        everyMillis: EVERY,
        random: () => 0.5,
        send: (call) => this.call(name, call, session),
        onAct: ({ what, dispute }) => acts.push(what === "move" ? `move ${dispute}` : what),
        onTrouble: (text) => troubles.push(text),
        onWait: (view, audited, leaves) => (state.audited = view.record !== undefined && leaves > 0 && audited === leaves), // prettier-ignore
        ...options,
      });
    })();
    return Object.assign(state, { acts, troubles, ended });
  }

  /** Lets time pass on the chain. */
  async pass(seconds: number): Promise<void> {
    await this.provider.request({ method: "evm_increaseTime", params: [seconds] });
    await this.provider.request({ method: "evm_mine", params: [] });
  }

  view(posted: PostedRounds): Promise<PerformanceView> {
    return readPerformance(this.session, posted);
  }

  /** Who has lost its stake: the participant and the reason. */
  async convicted(posted: PostedRounds): Promise<[string, string][]> {
    const { convicted } = await performanceEvents(this.session, posted);
    return convicted.map(({ participant, fault }) => [this.plan.participants[participant]?.name ?? "recorder", fault]);
  }

  /** Waits until something holds. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let looks = 0; !(await holds()); looks++) {
      if (looks > 400) expect.unreachable(`it never came to this: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  private client(isOut: () => boolean) {
    const request = (args: { method: string; params?: unknown }): Promise<unknown> => {
      if (isOut()) return Promise.reject(Object.assign(new Error("out of order"), { code: -32000 }));
      return this.provider.request(args as never);
    };
    return createPublicClient({ transport: custom({ request }, { retryCount: 0 }), cacheTime: 0, pollingInterval: 20 });
  }
}
