/** A chain in this process with a task before the game: honest claims and lies, from runs that are held in memory. */
import { encodeFunctionData, type Hex, keccak256, numberToHex, zeroAddress } from "viem";
import type { LocalAccount } from "viem/accounts";
import type { ClosedJob } from "../../../src/job/closed.ts";
import { trainingProver } from "../../../src/referee/claim.ts";
import { bondOf } from "../../../src/settlement/game/bond.ts";
import type { Case } from "../../../src/settlement/game/case.ts";
import { Defender } from "../../../src/settlement/game/defender.ts";
import type { DueCall } from "../../../src/settlement/game/due-call.ts";
import { GameFacts } from "../../../src/settlement/game/facts.ts";
import type { GamePlace } from "../../../src/settlement/game/follow.ts";
import type { Pace } from "../../../src/settlement/game/match.ts";
import { ABIS } from "../../../src/settlement/contracts.ts";
import { jobTermsOf } from "../../../src/settlement/job-terms.ts";
import { bringBeforeGame } from "../../../src/settlement/local/dispute.ts";
import { localAccount, type LocalSettlement, openLocalSettlement } from "../../../src/settlement/local/settlement.ts";
import { readTask, type Terms } from "../../../src/settlement/task.ts";
import { termsOf, withTimeToPlay } from "../../../src/settlement/terms.ts";
import { Caller } from "../../../src/settlement/transactions/caller.ts";
import { type Fault, type RememberedRun, rememberedRun } from "../../referee/remembered-run.ts";

export const DAY = 86_400;

export interface Setting {
  readonly job: ClosedJob;
  readonly commitEvery: number;
  /** The faults of each seat's run. An honest seat has none. */
  readonly faults: readonly (readonly Fault[])[];
  /** Changes what the seats say of their runs. */
  readonly forge?: (runs: readonly RememberedRun[]) => readonly RememberedRun[];
  readonly pace: Pace;
  readonly gasBond?: bigint;
  /** The seats that a committee has ruled against. Default: there is no committee. */
  readonly ruledAgainst?: readonly number[];
}

/** A task whose claims differ, so that the game decides. */
export class GameWorld {
  readonly settlement: LocalSettlement;
  readonly runs: readonly RememberedRun[];
  readonly facts: GameFacts;
  readonly terms: Terms;
  readonly task: Hex;
  readonly accounts: readonly LocalAccount[];

  private constructor(
    settlement: LocalSettlement,
    runs: readonly RememberedRun[],
    facts: GameFacts,
    terms: Terms,
    task: Hex,
  ) {
    this.settlement = settlement;
    this.runs = runs;
    this.facts = facts;
    this.terms = terms;
    this.task = task;
    this.accounts = runs.map((_, seat) => localAccount(seat + 1));
  }

  static async open({
    job,
    commitEvery,
    faults,
    forge = (runs) => runs,
    pace,
    gasBond = 10n ** 17n,
    ruledAgainst,
  }: Setting): Promise<GameWorld> {
    const remembered: RememberedRun[] = [];
    for (const list of faults) remembered.push(await rememberedRun(job, commitEvery, list));
    const runs = forge(remembered);
    const client = localAccount(0);
    const settlement = await openLocalSettlement({
      members: [client.address],
      threshold: 1,
      unbondingPeriod: 400 * DAY,
      game: { pace, gasBond },
    });
    const { session } = settlement;
    const { outline } = runs[0];
    const choice = {
      client: client.address,
      reward: 10n,
      providers: runs.length,
      // The client itself is the committee: it rules by a call.
      committee: ruledAgainst ? client.address : zeroAddress,
      game: session.deployment.game!,
    };
    const terms = await withTimeToPlay(session.client, termsOf(jobTermsOf(outline, commitEvery), choice));
    const accounts = runs.map((_, seat) => localAccount(seat + 1));
    const roots = runs.map(({ runRoot }) => runRoot);
    const task = await bringBeforeGame(session, terms, client, accounts, roots);
    if (ruledAgainst) await rule(settlement, terms, task, ruledAgainst);
    return new GameWorld(settlement, runs, new GameFacts(outline, commitEvery), terms, task);
  }

  get place(): GamePlace {
    const { client, source } = this.settlement.session;
    return { client, game: this.terms.game, fromBlock: source.fromBlock };
  }

  ask(method: string, ...params: unknown[]): Promise<unknown> {
    return this.settlement.session.client.request({ method, params } as never);
  }

  /** Lets the chain take nothing for a while, and mines one empty block then. */
  async pass(seconds: number): Promise<void> {
    await this.ask("evm_increaseTime", numberToHex(seconds));
    await this.ask("evm_mine");
  }

  view() {
    return readTask(this.settlement.session.source, this.task);
  }

  /** Takes a ruling to the game, if there is one. */
  async escalate(seat: number): Promise<void> {
    const { ruling, phase } = await this.view();
    if (phase !== "Ruled") return;
    const args = [this.terms, ruling!, BigInt(seat)] as const;
    const data = encodeFunctionData({ abi: ABIS.manager, functionName: "escalate", args });
    const { client, deployment } = this.settlement.session;
    const value = numberToHex((await bondOf(client, this.terms.game))!);
    const call = { from: this.accounts[seat].address, to: deployment.manager, data, value };
    await this.ask("eth_sendTransaction", call);
  }

  /** What a seat may do now. It is made anew each time, so all that it knows is on the chain. */
  async due(seat: number): Promise<DueCall[]> {
    const { dispute } = await this.view();
    const player = new Defender(this.place, this.facts, trainingProver(this.runs[seat]), this.accounts[seat].address);
    return player.due({ task: this.task, dispute, terms: this.terms } satisfies Case);
  }

  /** Sends a call of a seat as it is. @returns whether it took effect */
  async send(seat: number, { data, value = 0n }: DueCall): Promise<boolean> {
    const { address: from } = this.accounts[seat];
    const call = { from, to: this.terms.game, data, value: numberToHex(value) };
    return this.ask("eth_sendTransaction", call).then(
      () => true,
      () => false,
    );
  }
}

/** The committee rules that the claims of these seats are wrong. */
async function rule({ session }: LocalSettlement, terms: Terms, task: Hex, seats: readonly number[]): Promise<void> {
  const view = await readTask(session.source, task);
  const wrong = seats.map((seat) => view.claims.indexOf(view.seats[seat].root!));
  const losers = wrong.reduce((bits, claim) => bits | (1n << BigInt(claim)), 0n);
  const resolution = { dispute: BigInt(view.dispute), claims: view.claims, losers, verdict: keccak256("0x") };
  const call = { contract: "manager", functionName: "resolve", args: [terms, resolution] } as const;
  await Caller.shortLived(session, localAccount(0)).call(call);
}
