/**
 * A liar makes all kinds of moves against a player that only does what the library tells it: malformed calls,
 * moves of another lie, repeated moves, moves too early and in the last second, the other side's move before
 * the other side makes it. The liar always loses.
 */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { type Address, encodeFunctionData, type Hex, toHex } from "viem";
import { outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import { disputeGameAbi } from "../../src/settlement/abi/dispute-game.ts";
import { bondDue } from "../../src/settlement/game/bond.ts";
import { moveCall, timeoutCall } from "../../src/settlement/game/calls.ts";
import { Defender } from "../../src/settlement/game/defender.ts";
import type { DueCall } from "../../src/settlement/game/due-call.ts";
import { GameFacts, hex } from "../../src/settlement/game/facts.ts";
import { followMatch } from "../../src/settlement/game/follow.ts";
import { deadlineOf, play } from "../../src/settlement/game/match.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, openChain, pass, read } from "./chain.ts";
import { deployGame, GAS_BOND, PACE } from "./duel.ts";
import { escalated } from "./escalated.ts";
import type { Play } from "./task.ts";

const PROPERTY = { seed: 20261122, numRuns: process.env.VERDE_SWEEP === undefined ? 30 : 1000 };
const KINDS = ["right", "other", "mutated", "garbage", "again", "late", "front", "early", "unpaid", "silent"] as const;

const job = tinyJob(5);
const EVERY = 2;
const facts = new GameFacts(outlineOf(job), EVERY);
const machine = trainingMachine(facts.facts);
let chain: Chain;
let game: Address;
let honest: RememberedRun;
let lies: RememberedRun[];

beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
  honest = await rememberedRun(job, EVERY);
  const places = [
    [3, 2, 5],
    [1, 6, 3],
    [5, 3, 71],
    [4, 10, 3],
  ] as const;
  lies = await Promise.all(
    places.map(([step, kernel, element]) =>
      rememberedRun(job, EVERY, [{ step, at: { kernel }, element, flip: 0x3f000001 }]),
    ),
  );
});

/** A task that seat 0, the liar or its opponent, has taken to the game. */
function before(liar: RememberedRun, seat: number): Promise<Play> {
  const roots = (seat === 0 ? [liar, honest] : [honest, liar]).map(({ runRoot }) => hex(runRoot));
  return escalated({ chain, game, job, commitEvery: EVERY, roots, winner: 1, by: 0 });
}

class Adversary {
  readonly task: Play;
  readonly owner: Address;
  readonly opponent: Address;
  private readonly run: RememberedRun;
  private readonly other: RememberedRun;
  private readonly noise: () => number;
  private readonly sent: { data: Hex; value: bigint }[] = [];
  /** Its own calls that the game has accepted. */
  taken = 0;

  constructor(task: Play, seat: number, run: RememberedRun, other: RememberedRun, noise: () => number) {
    this.task = task;
    [this.owner, this.opponent] = [task.owner(seat), task.owner(1 - seat)];
    this.run = run;
    this.other = other;
    this.noise = noise;
  }

  due(run: RememberedRun, owner: Address): Promise<DueCall[]> {
    const place = { client: chain.client as never, game, fromBlock: 0n };
    const defender = new Defender(place, facts, trainingProver(run), owner);
    return defender.due({ task: this.task.id, dispute: 1, terms: this.task.terms as never });
  }

  /** Whether the call was accepted. */
  async send(from: Address, data: Hex, value = 0n): Promise<boolean> {
    this.sent.push({ data, value });
    try {
      await chain.client.sendTransaction({ account: from, to: game, data, value });
      if (from === this.owner) this.taken++;
      return true;
    } catch {
      return false;
    }
  }

  private async match() {
    const disputes = await chain.client.getContractEvents({
      address: game,
      abi: disputeGameAbi,
      eventName: "Started",
      fromBlock: 0n,
    });
    const last = disputes.at(-1);
    if (!last) return undefined;
    return followMatch({ client: chain.client as never, game, fromBlock: 0n }, facts, PACE, last.args.dispute!);
  }

  private readonly acts: Record<(typeof KINDS)[number], () => Promise<void>> = {
    right: async () => {
      for (const { data, value } of await this.due(this.run, this.owner)) await this.send(this.owner, data, value);
    },
    other: async () => {
      const followed = await this.match();
      if (!followed || followed.match.game.phase === "bottom") return;
      const { match } = followed;
      const { timestamp } = await chain.client.getBlock();
      try {
        const turn = await makeTurn(machine, trainingProver(this.other), match);
        const after = play(machine, match, turn, Number(timestamp));
        await this.send(this.owner, moveCall(followed, turn, after), bondDue(match, GAS_BOND, false));
      } catch {
        // The other lie contradicts an earlier claim.
      }
    },
    mutated: async () => {
      for (const { data, value } of await this.due(this.run, this.owner)) {
        const bytes = Buffer.from(data.slice(2), "hex");
        bytes[this.noise() % bytes.length] ^= 1 + (this.noise() % 255);
        await this.send(this.owner, `0x${bytes.toString("hex")}`, value);
      }
    },
    garbage: async () => {
      const functions = ["move", "turn", "prove", "timeout", "pair", "close"];
      const name = functions[this.noise() % functions.length];
      const [item] = disputeGameAbi.filter((one) => one.type === "function" && one.name === name);
      const selector = encodeFunctionData({ abi: [{ ...item, inputs: [] }], functionName: name } as never) as Hex;
      const bytes = Uint8Array.from({ length: this.noise() % 1500 }, () => this.noise());
      await this.send(this.owner, `${selector}${toHex(bytes).slice(2)}`);
    },
    again: async () => {
      if (this.sent.length === 0) return;
      const { data, value } = this.sent[this.noise() % this.sent.length];
      await this.send(this.owner, data, value);
    },
    late: async () => {
      const followed = await this.match();
      if (!followed) return;
      const { timestamp } = await chain.client.getBlock();
      const left = deadlineOf(followed.match) - Number(timestamp);
      if (left > 30) await pass(chain, left - 20);
      await this.acts.right();
    },
    front: async () => {
      for (const { data, value } of await this.due(honest, this.opponent)) await this.send(this.owner, data, value);
    },
    early: async () => {
      const followed = await this.match();
      if (followed) expect(await this.send(this.owner, timeoutCall(followed))).toBe(false);
    },
    unpaid: async () => {
      for (const { data, value = 0n } of await this.due(this.run, this.owner))
        expect(await this.send(this.owner, data, value + (value > 0n && this.noise() % 2 === 0 ? -1n : 1n))).toBe(
          false,
        );
    },
    silent: async () => undefined,
  };

  act(kind: (typeof KINDS)[number]): Promise<void> {
    return this.acts[kind]();
  }
}

const credit = (owner: Address): Promise<bigint> =>
  chain.client.readContract({ address: game, abi: disputeGameAbi, functionName: "creditOf", args: [owner] });

/** Bit i: player i of the last bracket has posted its bond. */
async function postedIn(task: Play): Promise<number> {
  const [{ args }] = await chain.client.getContractEvents({
    address: game,
    abi: disputeGameAbi,
    eventName: "Opened",
    args: { task: task.id },
    fromBlock: 0n,
  });
  const call = { address: game, abi: disputeGameAbi, functionName: "bracketOf", args: [args.bracket!] } as const;
  return (await chain.client.readContract(call)).posted;
}

/** Numbers from a list, repeated without end. */
function cycle(numbers: readonly number[]): () => number {
  let at = 0;
  return () => numbers[at++ % numbers.length] + at;
}

describe("an honest player", () => {
  test("beats a liar that makes any moves", async () => {
    const plan = fc.record({
      lie: fc.nat(3),
      seat: fc.nat(1),
      kinds: fc.array(fc.constantFrom(...KINDS), { minLength: 5, maxLength: 40 }),
      noise: fc.array(fc.nat(65535), { minLength: 97, maxLength: 97 }),
    });
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(plan, async ({ lie, seat, kinds, noise }) => {
        const snapshot = await chain.client.snapshot();
        const task = await before(lies[lie], seat);
        const adversary = new Adversary(task, seat, lies[lie], lies[(lie + 1) % lies.length], cycle(noise));
        const playing = async (): Promise<boolean> => (await task.state()) === "Disputed Playing";
        for (const kind of kinds) {
          if (await playing()) await adversary.act(kind);
          if (!(await playing())) break;
          // A move that was made for the honest side in the meantime makes the side's own move unnecessary;
          // nothing else may.
          const calls = await adversary.due(honest, adversary.opponent);
          for (const { data, value } of calls) expect(await adversary.send(adversary.opponent, data, value)).toBe(true);
        }
        // Whatever is still open, the liar is silent from now on.
        for (let i = 0; i < 60 && (await playing()); i++) {
          const calls = await adversary.due(honest, adversary.opponent);
          for (const { data, value } of calls) await adversary.send(adversary.opponent, data, value);
          if (calls.length === 0) await pass(chain, PACE.clock + 1);
        }
        expect(await task.state()).toBe("Challengeable");
        const { out } = await read<{ out: number }>(chain, "manager", "taskOf", [task.id]);
        expect(out).toBe(1 << seat);
        // The honest player has its own bond again, and half of the liar's.
        const posted = await postedIn(task);
        const own = (posted >> (1 - seat)) & 1;
        const other = (posted >> seat) & 1;
        const earned = own === 1 ? GAS_BOND + (BigInt(other) * GAS_BOND) / 2n : 0n;
        expect(await credit(adversary.opponent)).toBeGreaterThanOrEqual(earned);
        const held = await chain.client.getBalance({ address: game });
        const credits = (await credit(adversary.opponent)) + (await credit(adversary.owner));
        expect(held - credits).toBe(own === 1 ? (BigInt(other) * GAS_BOND) / 2n : BigInt(other) * GAS_BOND);
        taken += adversary.taken;
        await chain.client.revert({ id: snapshot });
      }),
      PROPERTY,
    );
    // Otherwise the liar would have lost by its clocks alone.
    expect(taken).toBeGreaterThan(2 * PROPERTY.numRuns);
  });
});
