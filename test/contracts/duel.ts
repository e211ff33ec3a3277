/**
 * Two claims before the game on a chain. The counterpart in TypeScript is compared with the contract after
 * every move.
 */
import { expect } from "vitest";
import {
  type Abi,
  decodeFunctionData,
  encodeDeployData,
  encodeFunctionData,
  type Hex,
  parseEventLogs,
  type TransactionReceipt,
} from "viem";
import { type ClosedJob, outlineOf } from "../../src/job/closed.ts";
import { type Machine } from "../../src/game/bisection.ts";
import { type Pair, type Side, SIDES } from "../../src/game/level.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import type { Prover } from "../../src/game/prover.ts";
import { disputeGameBytecode, judgeBytecode } from "../../src/settlement/abi/bytecode.ts";
import { disputeGameAbi } from "../../src/settlement/abi/dispute-game.ts";
import { disputeGamePortableBytecode, judgePortableBytecode } from "../../src/settlement/abi/portable.ts";
import type { Build } from "../../src/settlement/abilities.ts";
import type { Witness } from "../../src/referee/witness.ts";
import { bondDue } from "../../src/settlement/game/bond.ts";
import { moveCall, proveCall, timeoutCall } from "../../src/settlement/game/calls.ts";
import type { SignatureOf } from "../../src/settlement/game/consent.ts";
import { GameFacts } from "../../src/settlement/game/facts.ts";
import {
  type Match,
  deadlineOf,
  type Pace,
  play,
  startMatch,
  timedOut,
  type Turn,
} from "../../src/settlement/game/match.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { chainState, firstClock, hashState, type Players } from "../../src/settlement/game/state.ts";
import { type Chain, DAY } from "./chain.ts";
import { escalated } from "./escalated.ts";

export const PACE: Pace = { clock: 3 * DAY, response: 600, recompute: 3600 };

/** An account that owns no claim. */
export const strangerOf = ({ accounts }: Chain): Hex => accounts[6];

/** In wei. */
export const GAS_BOND = 10n ** 17n;

export async function deployGame(
  chain: Chain,
  pace: Pace = PACE,
  gasBond = GAS_BOND,
  build: Build = "osaka",
): Promise<Hex> {
  const deploy = async (data: Hex): Promise<Hex> => {
    const hash = await chain.client.sendTransaction({ account: chain.accounts[0], data });
    return (await chain.client.getTransactionReceipt({ hash })).contractAddress!;
  };
  const portable = build === "portable";
  const judge = await deploy(portable ? judgePortableBytecode : judgeBytecode);
  const args = [chain.manager, judge, pace, gasBond] as const;
  const bytecode = portable ? disputeGamePortableBytecode : disputeGameBytecode;
  return deploy(encodeDeployData({ abi: disputeGameAbi, bytecode, args }));
}

function losersOf({ logs }: TransactionReceipt): Side[] {
  const [{ args }] = parseEventLogs({ abi: disputeGameAbi, eventName: "Ended", logs });
  return SIDES.filter((side) => (args.losers >> BigInt(side)) & 1n);
}

export class Duel {
  readonly chain: Chain;
  readonly game: Hex;
  readonly facts: GameFacts;
  readonly machine: Machine;
  readonly dispute: bigint;
  readonly players: Players;
  readonly receipts: { name: string; gas: number; bytes: number }[] = [];
  /** The gas of opening the bracket, and its bytes. */
  opened: { gas: number; bytes: number } | undefined;
  /** The gas of pairing the players. */
  paired = 0;
  /** The arguments of `close`. */
  private closing: readonly unknown[] = [];
  match: Match;

  private constructor(chain: Chain, game: Hex, facts: GameFacts, dispute: bigint, players: Players, match: Match) {
    this.chain = chain;
    this.game = game;
    this.facts = facts;
    this.machine = trainingMachine(facts.facts);
    this.dispute = dispute;
    this.players = players;
    this.match = match;
  }

  /** From a task's posting to the first dispute of its bracket. */
  static open(chain: Chain, game: Hex, job: ClosedJob, commitEvery: number, roots: Pair<Hex>): Promise<Duel> {
    return Duel.about(chain, game, new GameFacts(outlineOf(job), commitEvery), roots);
  }

  static async about(chain: Chain, game: Hex, facts: GameFacts, roots: Pair<Hex>): Promise<Duel> {
    const { parts, commitEvery } = facts.facts;
    const job = { id: facts.job.id, steps: parts.steps };
    const task = await escalated({ chain, game, job, commitEvery, roots, winner: 1, by: 0 });
    const hash = await chain.client.writeContract({
      account: chain.accounts[7],
      address: game,
      abi: disputeGameAbi,
      functionName: "open",
      args: [task.terms, facts.shownParts()],
    });
    const receipt = await chain.client.waitForTransactionReceipt({ hash });
    const [opened] = parseEventLogs({ abi: disputeGameAbi, eventName: "Opened", logs: receipt.logs });
    const pairing = await chain.client.writeContract({
      account: chain.accounts[7],
      address: game,
      abi: disputeGameAbi,
      functionName: "pair",
      args: [opened.args.roster, 0n, 1n],
    });
    const paired = await chain.client.waitForTransactionReceipt({ hash: pairing });
    const [started] = parseEventLogs({ abi: disputeGameAbi, eventName: "Started", logs: paired.logs });
    const { timestamp } = await chain.client.getBlock({ blockNumber: paired.blockNumber });
    const machine = trainingMachine(facts.facts);
    const claims = roots.map((root) => Buffer.from(root.slice(2), "hex")) as unknown as Pair<Uint8Array>;
    const { state, context } = started.args;
    const match = startMatch(machine, claims, PACE, Number(timestamp), firstClock(state.word));
    const { players: pair, owners } = context;
    const duel = new Duel(chain, game, facts, started.args.dispute, { pair, owners }, match);
    const { input } = await chain.client.getTransaction({ hash });
    duel.opened = { gas: Number(receipt.gasUsed), bytes: input.length / 2 - 1 };
    duel.paired = Number(paired.gasUsed);
    duel.closing = [task.terms, opened.args.roster];
    await duel.compare();
    return duel;
  }

  /** Expects the contract to have the state of the counterpart. */
  async compare(): Promise<void> {
    const stored = await this.chain.client.readContract({
      address: this.game,
      abi: disputeGameAbi,
      functionName: "stateOf",
      args: [this.dispute],
    });
    expect(stored).toBe(hashState(chainState(this.facts, this.players, this.match)));
  }

  /** The bond that the next move posts. Side 0 has posted its own with the escalation. */
  bond(): bigint {
    return bondDue(this.match, GAS_BOND, this.match.turn === 0);
  }

  async send(name: string, data: Hex, account = strangerOf(this.chain), value = 0n): Promise<TransactionReceipt> {
    const hash = await this.chain.client.sendTransaction({ account, to: this.game, data, value });
    const receipt = await this.chain.client.getTransactionReceipt({ hash });
    this.receipts.push({ name, gas: Number(receipt.gasUsed), bytes: data.length / 2 - 1 });
    return receipt;
  }

  /** @param signatureOf the signatures of the side to move, if a stranger moves for it */
  async take(turn: Turn, signatureOf?: SignatureOf): Promise<void> {
    const { timestamp } = await this.chain.client.getBlock();
    const now = Number(timestamp) + 1;
    await this.chain.client.setNextBlockTimestamp({ timestamp: BigInt(now) });
    const after = play(this.machine, this.match, turn, now);
    const name = `${this.match.game.phase} to ${after.game.phase}`;
    const { facts, dispute, players, match } = this;
    const data = moveCall({ facts, dispute, players, match }, turn, after, signatureOf);
    await this.send(name, data, signatureOf ? strangerOf(this.chain) : players.owners[match.turn], this.bond());
    this.match = after;
    await this.compare();
  }

  /** Both provers move until nothing is asked any more. */
  async play(provers: Pair<Pick<Prover<unknown>, "answer">>): Promise<void> {
    while (this.match.game.phase !== "bottom")
      await this.take(await makeTurn(this.machine, provers[this.match.turn], this.match));
  }

  /** Reports the losers to the task. @returns the gas of it */
  async close(): Promise<number> {
    const data = encodeFunctionData({ abi: disputeGameAbi as Abi, functionName: "close", args: this.closing });
    return Number((await this.send("close", data)).gasUsed);
  }

  async timeout(): Promise<TransactionReceipt> {
    const { facts, dispute, players, match } = this;
    const data = timeoutCall({ facts, dispute, players, match });
    const [account] = this.chain.accounts;
    // A call that reverts has its error decoded by the simulation.
    await this.chain.client.simulateContract({
      account,
      address: this.game,
      abi: disputeGameAbi,
      ...decodeFunctionData({ abi: disputeGameAbi, data }),
    } as never);
    return this.send("timeout", data);
  }

  /** Seconds of the turn. */
  timeLeft(): number {
    return deadlineOf(this.match) - this.match.since;
  }

  /** Which sides lose by the step at the bottom. */
  async prove(witness: Witness): Promise<Side[]> {
    const { facts, dispute, players, match } = this;
    return losersOf(await this.send("prove", proveCall({ facts, dispute, players, match }, witness)));
  }

  async losersByTimeout(): Promise<Side[]> {
    const losers = losersOf(await this.timeout());
    const { timestamp } = await this.chain.client.getBlock();
    expect(timedOut(this.match, Number(timestamp))).toEqual(losers);
    return losers;
  }
}
