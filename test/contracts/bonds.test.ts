/**
 * Bonds for gas: the honest player gets its own and the liars' bonds, from all of its disputes at once, and
 * the game never owes more than it has.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { type Address, parseEventLogs, parseGwei } from "viem";
import { outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { disputeGameAbi } from "../../src/settlement/abi/dispute-game.ts";
import { DEFAULT_GAS_BOND } from "../../src/settlement/game/bond.ts";
import { Defender, type DueCall } from "../../src/settlement/game/defender.ts";
import { GameFacts, hex } from "../../src/settlement/game/facts.ts";
import { type Fault, type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, errorOf, openChain, pass } from "./chain.ts";
import { deployGame, GAS_BOND } from "./duel.ts";
import { escalated } from "./escalated.ts";
import type { Play } from "./task.ts";

const job = tinyJob(5);
const EVERY = 2;
const facts = new GameFacts(outlineOf(job), EVERY);
const flip = (step: number, kernel: number, bits = 0x3f000001): Fault[] => [
  { step, at: { kernel }, element: 5, flip: bits },
];
let chain: Chain;
let game: Address;

beforeEach(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
});

interface Party {
  owner: Address;
  run: RememberedRun;
  /** Which of the due calls it sends; all by default. */
  sends?: (call: DueCall) => boolean;
  gas: bigint;
  brought: bigint;
}

/** A task with these claims that seat 0 has taken to the game, against a ruling for the second claim. */
async function disputed(runs: readonly RememberedRun[]): Promise<{ task: Play; parties: Party[] }> {
  const roots = runs.map(({ runRoot }) => hex(runRoot));
  const winner = roots.findIndex((root) => root !== roots[0]);
  const task = await escalated({ chain, game, job, commitEvery: EVERY, roots, winner, by: 0 });
  return { task, parties: runs.map((run, seat) => ({ owner: task.owner(seat), run, gas: 0n, brought: 0n })) };
}

const before = (task: Play) => ({ task: task.id, dispute: 1, terms: task.terms as never });
const defenderOf = ({ owner, run }: Party): Defender =>
  new Defender({ client: chain.client as never, game, fromBlock: 0n }, facts, trainingProver(run), owner);

async function send(party: Party, { data, value = 0n }: DueCall): Promise<boolean> {
  try {
    const hash = await chain.client.sendTransaction({ account: party.owner, to: game, data, value });
    party.gas += (await chain.client.getTransactionReceipt({ hash })).gasUsed;
    party.brought += value;
    return true;
  } catch {
    // Another call of the same round has made this one unnecessary.
    return false;
  }
}

/** All players look in turn and do what is due, until nothing is due. */
async function defend(task: Play, parties: readonly Party[], all = parties): Promise<void> {
  for (let idle = 0; idle < parties.length; )
    for (const party of parties) {
      if ((await task.state()) !== "Disputed Playing") return;
      const due = (await defenderOf(party).due(before(task))).filter((call) => party.sends?.(call) ?? true);
      idle = due.length === 0 ? idle + 1 : 0;
      for (const call of due) await send(party, call);
      await expectSolvent(all);
    }
}

const credit = (owner: Address): Promise<bigint> =>
  chain.client.readContract({ address: game, abi: disputeGameAbi, functionName: "creditOf", args: [owner] });

/** The game holds the bonds that were posted and not lost; credits are a part of them. */
async function expectSolvent(parties: readonly Party[]): Promise<{ held: bigint; credits: bigint }> {
  const held = await chain.client.getBalance({ address: game });
  const credits = (await Promise.all(parties.map(({ owner }) => credit(owner)))).reduce((a, b) => a + b, 0n);
  expect(held).toBe(parties.reduce((sum, { brought }) => sum + brought, 0n));
  expect(held).toBeGreaterThanOrEqual(credits);
  return { held, credits };
}

async function dispute(first: number, second: number): Promise<bigint> {
  const logs = await chain.client.getLogs({ address: game, fromBlock: 0n });
  const paired = parseEventLogs({ abi: disputeGameAbi, eventName: "Paired", logs });
  return paired.find(({ args }) => Number(args.first) === first && Number(args.second) === second)!.args.dispute;
}

describe("bonds", () => {
  test("of all liars go to the honest player, and pay for its gas with a margin", async () => {
    const honest = await rememberedRun(job, EVERY);
    const liars = [await rememberedRun(job, EVERY, flip(1, 6)), await rememberedRun(job, EVERY, flip(4, 2))];
    const { task, parties } = await disputed([honest, ...liars]);
    await defend(task, parties);
    expect(await task.state()).toBe("Challengeable");
    const [{ owner, gas, brought }] = parties;
    // Both of its disputes ran at once.
    expect(brought).toBe(2n * GAS_BOND);
    expect(await credit(owner)).toBe(4n * GAS_BOND);
    expect(2n * DEFAULT_GAS_BOND).toBeGreaterThan(gas * parseGwei("40"));
    // The liars' own dispute: the liar whose lie begins later was right there.
    expect(await credit(parties[2].owner)).toBe(2n * GAS_BOND);
    expect(await credit(parties[1].owner)).toBe(0n);
    const { held, credits } = await expectSolvent(parties);
    expect(held).toBe(credits);
    for (const at of [0, 2]) await withdraw(parties[at].owner);
    expect(await chain.client.getBalance({ address: game })).toBe(0n);
    expect(await errorOf(withdraw(owner))).toBe("NoCredit");
  });

  test("of two liars that are both wrong go to nobody", async () => {
    const runs = [1 << 22, 1 << 25].map((bits) => rememberedRun(job, EVERY, flip(3, 2, bits)));
    const { task, parties } = await disputed(await Promise.all(runs));
    await defend(task, parties);
    expect(await task.state()).toBe("Refunded");
    expect(await expectSolvent(parties)).toEqual({ held: 2n * GAS_BOND, credits: 0n });
    for (const { owner } of parties) expect(await errorOf(withdraw(owner))).toBe("NoCredit");
  });

  test("return from a dispute with a player that has lost elsewhere, also after the task is decided", async () => {
    const honest = await rememberedRun(job, EVERY);
    const liars = [await rememberedRun(job, EVERY, flip(1, 6)), await rememberedRun(job, EVERY, flip(4, 2))];
    const { task, parties } = await disputed([honest, ...liars]);
    const [right, early, late] = parties;
    // The first liar posts its bond against the honest player, and then plays only against the other liar,
    // where it loses.
    right.sends = ({ what }) => what !== "settle";
    // The bracket, the pairs, and the honest player's first moves.
    for (let look = 0; look < 3; look++)
      for (const call of await defenderOf(right).due(before(task))) await send(right, call);
    const withRight = await dispute(0, 1);
    let answers = 0;
    early.sends = (call) => call.dispute !== withRight || answers++ === 0;
    await defend(task, [early, late], parties);
    await defend(task, parties);
    expect(await task.state()).toBe("Challengeable");
    expect(await credit(right.owner)).toBe(2n * GAS_BOND);
    expect(right.brought).toBe(2n * GAS_BOND);
    // The task is decided, nobody had to wait for the clock, and the dispute still holds both bonds.
    const left = await defenderOf(right).leftOver(before(task));
    expect(left.map(({ what }) => what)).toEqual(["settle"]);
    expect(await defenderOf(early).leftOver(before(task))).toEqual([]);
    expect(await send(right, left[0])).toBe(true);
    expect(await credit(right.owner)).toBe(4n * GAS_BOND);
    expect(await defenderOf(right).leftOver(before(task))).toEqual([]);
    await expectSolvent(parties);
  });

  test("of a side that is silent from the start were never posted", async () => {
    const honest = await rememberedRun(job, EVERY);
    const { task, parties } = await disputed([honest, await rememberedRun(job, EVERY, flip(1, 6))]);
    await defend(task, [parties[0]]);
    await pass(chain, 10 * DAY);
    await defend(task, [parties[0]]);
    expect(await task.state()).toBe("Challengeable");
    expect(await expectSolvent(parties)).toEqual({ held: GAS_BOND, credits: GAS_BOND });
  });
});

/** To the owner itself, which receives its credit, less the gas. */
async function withdraw(owner: Address): Promise<void> {
  const owed = await credit(owner);
  const call = { address: game, abi: disputeGameAbi, functionName: "withdraw", args: [owner] } as const;
  const was = await chain.client.getBalance({ address: owner });
  const hash = await chain.client.writeContract({ account: owner, ...call });
  const { gasUsed, effectiveGasPrice } = await chain.client.getTransactionReceipt({ hash });
  expect(await chain.client.getBalance({ address: owner })).toBe(was + owed - gasUsed * effectiveGasPrice);
}
