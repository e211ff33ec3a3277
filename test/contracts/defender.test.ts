/**
 * Players that defend their claims by themselves. Each is made anew for every look, so all that it knows is
 * on the chain.
 */
import { beforeAll, describe, expect, test } from "vitest";
import type { Address, Hex } from "viem";
import { outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { Defender } from "../../src/settlement/game/defender.ts";
import { GameFacts, hex } from "../../src/settlement/game/facts.ts";
import { type Fault, type RememberedRun, rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, openChain, pass, read } from "./chain.ts";
import { deployGame } from "./duel.ts";
import { escalated } from "./escalated.ts";
import type { Play } from "./task.ts";

const job = tinyJob(5);
const EVERY = 2;
const facts = new GameFacts(outlineOf(job), EVERY);
const flip = (step: number, kernel: number, element: number): Fault[] => [
  { step, at: { kernel }, element, flip: 0x3f000001 },
];
let chain: Chain;
let game: Address;
let honest: RememberedRun;

beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
  honest = await rememberedRun(job, EVERY);
});

interface Party {
  owner: Address;
  run: RememberedRun;
}

/** A task with these claims, which the committee has ruled on and seat `by` has taken to the game. */
async function bring(runs: readonly RememberedRun[], winner: number, by: number) {
  const roots = runs.map(({ runRoot }) => hex(runRoot));
  const task = await escalated({ chain, game, job, commitEvery: EVERY, roots, winner, by });
  return { task, parties: runs.map((run, seat): Party => ({ owner: task.owner(seat), run })) };
}

/** All players look in turn and do what is due, until nothing is due. Returns the number of transactions. */
async function defend(task: Play, parties: readonly Party[], afterEach?: () => Promise<void>): Promise<number> {
  let sent = 0;
  for (let idle = 0; idle < parties.length; )
    for (const { owner, run } of parties) {
      if ((await task.state()) !== "Disputed Playing") return sent;
      const place = { client: chain.client as never, game, fromBlock: 0n };
      const defender = new Defender(place, facts, trainingProver(run), owner);
      const calls = await defender.due({ task: task.id, dispute: 1, terms: task.terms as never });
      idle = calls.length === 0 ? idle + 1 : 0;
      for (const { data, value = 0n } of calls) {
        // Another call of the same round may have made this one unnecessary.
        await chain.client.sendTransaction({ account: owner, to: game, data, value }).catch(() => undefined);
        sent++;
      }
      await afterEach?.();
    }
  return sent;
}

const out = async (task: Play): Promise<number> =>
  (await read<{ out: number }>(chain, "manager", "taskOf", [task.id])).out;

describe("claims that are defended", () => {
  test.each([0, 1])(
    "stand if they are right, against a committee that ruled otherwise (honest seat %i)",
    async (seat) => {
      const liar = await rememberedRun(job, EVERY, flip(3, 2, 5 + seat));
      const runs = seat === 0 ? [honest, liar] : [liar, honest];
      const { task, parties } = await bring(runs, 1 - seat, seat);
      expect(await defend(task, parties)).toBeGreaterThan(10);
      expect(await task.state()).toBe("Challengeable");
      expect(await out(task)).toBe(1 << (1 - seat));
    },
  );

  test("stand against two liars, one of them silent, together with another party with the same claim", async () => {
    const liars = [await rememberedRun(job, EVERY, flip(1, 6, 3)), await rememberedRun(job, EVERY, flip(4, 2, 9))];
    const { task, parties } = await bring([liars[0], honest, liars[1], honest], 0, 1);
    // The silent one lets its clocks run out.
    await defend(task, [parties[0], parties[1], parties[3]]);
    await pass(chain, 10 * DAY);
    await defend(task, [parties[0], parties[1], parties[3]]);
    expect(await task.state()).toBe("Challengeable");
    expect(await out(task)).toBe(0b0101);
  });

  test("fall if they are wrong, both of them", async () => {
    const wrong = (flip: number): Fault[] => [{ step: 3, at: { kernel: 2 }, element: 5, flip }];
    const liars = [await rememberedRun(job, EVERY, wrong(1 << 22)), await rememberedRun(job, EVERY, wrong(1 << 25))];
    const { task, parties } = await bring(liars, 0, 1);
    await defend(task, parties);
    expect(await task.state()).toBe("Refunded");
    expect(await out(task)).toBe(0b11);
  });

  test("are not defended by a trace of another claim", async () => {
    const liar = await rememberedRun(job, EVERY, flip(3, 2, 8));
    const { task, parties } = await bring([honest, liar], 1, 0);
    const place = { client: chain.client as never, game, fromBlock: 0n };
    const stranger = new Defender(place, facts, trainingProver(honest), chain.accounts[7]);
    const before = { task: task.id as Hex, dispute: 1, terms: task.terms as never };
    const [{ what, data }] = await stranger.due(before);
    expect(what).toBe("open");
    await chain.client.sendTransaction({ account: chain.accounts[7], to: game, data });
    await expect(stranger.due(before)).rejects.toThrow("has no claim in the game");
    await defend(task, parties);
    expect(await out(task)).toBe(0b10);
  });
});
