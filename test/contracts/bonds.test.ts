/**
 * Bonds for gas: the honest player gets its own back and half of the liars', with one bond for all of its
 * disputes, and the game never owes more than it has.
 */
import { beforeEach, describe, expect, test } from "vitest";
import { type Address, parseGwei } from "viem";
import { outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { disputeGameAbi } from "../../src/settlement/abi/dispute-game.ts";
import { DEFAULT_GAS_BOND, unusedBonds } from "../../src/settlement/game/bond.ts";
import { caseOf } from "../../src/settlement/game/case.ts";
import { Defender } from "../../src/settlement/game/defender.ts";
import type { DueCall } from "../../src/settlement/game/due-call.ts";
import { GameFacts, hex } from "../../src/settlement/game/facts.ts";
import { readTask } from "../../src/settlement/task.ts";
import { type Fault, type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, errorOf, openChain, pass } from "./chain.ts";
import { deployGame, GAS_BOND, PACE } from "./duel.ts";
import { challengedAlone, escalated, rulingOf } from "./escalated.ts";
import type { Play, Resolution } from "./task.ts";

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
  gas: bigint;
  brought: bigint;
}

/** A task with these claims that seat 0 has taken to the game, against a ruling for the second claim. */
async function disputed(runs: readonly RememberedRun[]): Promise<{ task: Play; parties: Party[]; ruling: Resolution }> {
  const roots = runs.map(({ runRoot }) => hex(runRoot));
  const winner = roots.findIndex((root) => root !== roots[0]);
  const one = { chain, game, job, commitEvery: EVERY, roots, winner, by: 0 };
  const task = await escalated(one);
  const brought = (seat: number): bigint => (seat === one.by ? GAS_BOND : 0n);
  const parties = runs.map((run, seat) => ({ owner: task.owner(seat), run, gas: 0n, brought: brought(seat) }));
  return { task, parties, ruling: rulingOf(one) };
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
      const due = await defenderOf(party).due(before(task));
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

describe("bonds", () => {
  test("of liars pay for the honest player's gas with a margin, and half of them is burned", async () => {
    const honest = await rememberedRun(job, EVERY);
    const liars = [await rememberedRun(job, EVERY, flip(1, 6)), await rememberedRun(job, EVERY, flip(4, 2))];
    const { task, parties } = await disputed([honest, ...liars]);
    await defend(task, parties);
    expect(await task.state()).toBe("Challengeable");
    const [{ owner, gas, brought }] = parties;
    // Both of its disputes ran at once, with one bond.
    expect(parties.map((party) => party.brought)).toEqual([GAS_BOND, GAS_BOND, GAS_BOND]);
    expect(await credit(owner)).toBe(brought + GAS_BOND);
    expect(DEFAULT_GAS_BOND).toBeGreaterThan(gas * parseGwei("40"));
    for (const liar of [1, 2]) expect(await credit(parties[liar].owner)).toBe(0n);
    expect(await expectSolvent(parties)).toEqual({ held: 3n * GAS_BOND, credits: 2n * GAS_BOND });
    await withdraw(owner);
    expect(await chain.client.getBalance({ address: game })).toBe(GAS_BOND);
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

  test("return if the task is decided without the bracket", async () => {
    const honest = await rememberedRun(job, EVERY);
    const liar = await rememberedRun(job, EVERY, flip(1, 6));
    const { task, parties, ruling } = await disputed([honest, liar]);
    // The bracket, the pair, and the first two moves.
    for (const at of [0, 0, 0, 1])
      for (const call of await defenderOf(parties[at]).due(before(task))) await send(parties[at], call);
    expect(await expectSolvent(parties)).toEqual({ held: 2n * GAS_BOND, credits: 0n });
    await pass(chain, 61 * DAY);
    await task.enforce(ruling);
    expect(await task.state()).toBe("Challengeable");
    for (const party of parties) {
      const left = await defenderOf(party).leftOver(before(task));
      // One call settles the bracket for all of its players.
      expect(left.map(({ what }) => what)).toEqual(party === parties[0] ? ["settle"] : []);
      for (const call of left) expect(await send(party, call)).toBe(true);
      expect(await credit(party.owner)).toBe(GAS_BOND);
    }
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

  test("of a challenger that never plays pays the accused, which waits and needs no bond", async () => {
    const honest = await rememberedRun(job, EVERY);
    const task = await challengedAlone({ chain, game, job, commitEvery: EVERY, standing: hex(honest.runRoot) });
    const source = { client: chain.client as never, chainId: 31337, manager: chain.manager, fromBlock: 0n };
    const lookOf = async (seat: number): Promise<string[]> => {
      const party = { owner: task.owner(seat), run: honest, gas: 0n, brought: 0n };
      return (await defenderOf(party).due(caseOf(await readTask(source, task.id)))).map(({ what }) => what);
    };
    // The challenger opens the game itself; the others wait.
    expect([await lookOf(2), await lookOf(0)]).toEqual([["open"], []]);
    await pass(chain, PACE.clock + 1);
    expect(await lookOf(0)).toEqual(["forfeit"]);
    const [accused, challenger] = [task.owner(0), task.owner(2)].map(
      (owner): Party => ({ owner, run: honest, gas: 0n, brought: 0n }),
    );
    const [call] = await defenderOf(accused).due(caseOf(await readTask(source, task.id)));
    expect(await send(accused, call)).toBe(true);
    expect(await task.state()).toBe("Settled");
    expect([accused.brought, await credit(accused.owner)]).toEqual([0n, GAS_BOND / 2n]);
    // The challenger has nothing left to reclaim.
    expect(await defenderOf(challenger).leftOver(caseOf(await readTask(source, task.id)))).toEqual([]);
    expect(await unusedBonds(source, game, challenger.owner)).toEqual([]);
  });

  test("that no bracket took are found and reclaimed", async () => {
    const honest = await rememberedRun(job, EVERY);
    const runs = [honest, await rememberedRun(job, EVERY, flip(1, 6))];
    const { task, parties, ruling } = await disputed(runs);
    const source = { client: chain.client as never, chainId: 31337, manager: chain.manager, fromBlock: 0n };
    // Nobody opens the game that seat 0 has asked for, so the ruling takes effect.
    expect(await unusedBonds(source, game, parties[0].owner)).toEqual([]);
    await pass(chain, 61 * DAY);
    await task.enforce(ruling);
    // It may still be challenged.
    expect(await unusedBonds(source, game, parties[0].owner)).toEqual([]);
    expect(await defenderOf(parties[0]).leftOver(caseOf(await readTask(source, task.id)))).toEqual([]);
    await pass(chain, 2 * DAY);
    await task.finalize();
    expect((await unusedBonds(source, game, parties[0].owner)).map(({ salt }) => salt)).toEqual([task.terms.salt]);
    const left = await defenderOf(parties[0]).leftOver(caseOf(await readTask(source, task.id)));
    expect(left.map(({ what }) => what)).toEqual(["reclaim"]);
    expect(await send(parties[0], left[0])).toBe(true);
    expect(await credit(parties[0].owner)).toBe(GAS_BOND);
    expect(await unusedBonds(source, game, parties[0].owner)).toEqual([]);
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
