/** The game on a chain: its contract and its twin in TypeScript make the same of the same moves. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Hex } from "viem";
import { trainingProver } from "../../src/referee/claim.ts";
import { positionOf } from "../../src/referee/level.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { disputeRemembered } from "../referee/remembered-dispute.ts";
import type { Fault } from "../referee/remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "../referee/tiny-job.ts";
import { type Chain, errorOf, openChain, pass } from "./chain.ts";
import { deployGame, Duel } from "./duel.ts";

let chain: Chain;
let game: Hex;
beforeAll(async () => {
  chain = await openChain(400n * 86_400n);
  game = await deployGame(chain);
});

const job = tinyJob(5);
const at = (step: number, kernel: number, element: number): Fault => ({
  step,
  at: { kernel },
  element,
  flip: 0x3f000001,
});

/** One fault in each kind of tree, and where trees have one leaf. */
const FAULTS: readonly [name: string, commitEvery: number, Fault][] = [
  ["a fold, in the middle of a segment", 2, at(3, 2, 5)],
  ["a map", 1, at(4, 3, 71)],
  ["a gather", 7, at(5, 1, 41)],
  ["a fold of integers, in the last kernel", 3, at(5, 10, 3)],
  ["a scalar", 1, at(1, 7, 0)],
  ["the init graph", 2, at(0, 0, 80)],
  ["the assembly of the state", 2, { step: 2, at: { entry: 3 }, element: 5, flip: 1 }],
];

describe("the contract and its twin", () => {
  for (const [name, commitEvery, fault] of FAULTS)
    test(`lead a dispute about ${name} to where the referee comes to`, async () => {
      const faults = fault.step % 2 === 0 ? ([[fault], []] as const) : ([[], [fault]] as const);
      const { runs, runRoots, decision } = await disputeRemembered({ job, commitEvery, faults });
      const duel = await Duel.open(chain, game, job, commitEvery, [hex(runRoots[0]), hex(runRoots[1])]);
      await duel.play([trainingProver(runs[0]), trainingProver(runs[1])]);
      expect(positionOf(duel.match.game.path)).toEqual(positionOf(decision.path));
    });

  test("come to the initial state that stands in the job", async () => {
    const job = tinyCheckpointJob(2);
    const fault: Fault = { step: 0, at: { entry: 0 }, element: 5, flip: 1 };
    const { runs, runRoots, decision } = await disputeRemembered({ job, faults: [[fault], []] });
    const duel = await Duel.open(chain, game, job, 1, [hex(runRoots[0]), hex(runRoots[1])]);
    await duel.play([trainingProver(runs[0]), trainingProver(runs[1])]);
    expect(decision.kind).toBe("checkpoint");
    expect(positionOf(duel.match.game.path)).toEqual(positionOf(decision.path));
  });

  test("let a side lose that does not move, wherever it stops, and not before its time is over", async () => {
    const fault = at(3, 2, 6);
    const { runs, runRoots } = await disputeRemembered({ job, commitEvery: 2, faults: [[], [fault]] });
    const duel = await Duel.open(chain, game, job, 2, [hex(runRoots[0]), hex(runRoots[1])]);
    const provers = [trainingProver(runs[0]), trainingProver(runs[1])];
    for (;;) {
      expect(await errorOf(duel.timeout())).toBe("TooEarly");
      const snapshot = await chain.client.snapshot();
      await pass(chain, duel.timeLeft() + 1);
      expect(await duel.losersByTimeout()).toEqual(duel.match.game.phase === "bottom" ? [0, 1] : [duel.match.turn]);
      await chain.client.revert({ id: snapshot });
      if (duel.match.game.phase === "bottom") break;
      await duel.take(await makeTurn(duel.machine, provers[duel.match.turn], duel.match));
    }
  });
});
