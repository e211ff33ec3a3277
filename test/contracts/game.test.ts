/**
 * The game on a chain: the contract and its counterpart in TypeScript agree on every move, and with the
 * referee's decision.
 */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { Hex } from "viem";
import { elementCount } from "../../src/encoding/tensor.ts";
import type { ClosedJob } from "../../src/job/closed.ts";
import { loadJob } from "../../src/job/load.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { type Pair, positionOf, SIDES } from "../../src/game/level.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { makeTurn } from "../../src/settlement/game/player.ts";
import { disputeRemembered } from "../referee/remembered-dispute.ts";
import type { Fault } from "../referee/remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "../referee/tiny-job.ts";
import { type Chain, errorOf, openChain, pass } from "./chain.ts";
import { deployGame, Duel } from "./duel.ts";

const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));

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
const entry = (step: number, index: number, element: number): Fault => ({
  step,
  at: { entry: index },
  element,
  flip: 1,
});

async function begin(job: ClosedJob, commitEvery: number, faults: Pair<readonly Fault[]>) {
  const dispute = await disputeRemembered({ job, commitEvery, faults });
  const [first, second] = dispute.runRoots;
  const duel = await Duel.open(chain, game, job, commitEvery, [hex(first), hex(second)]);
  const provers = [trainingProver(dispute.runs[0]), trainingProver(dispute.runs[1])] as const;
  return { ...dispute, duel, provers };
}

/** Plays to the bottom. The witness of either side leads to the referee's decision. */
async function playOut(job: ClosedJob, commitEvery: number, faults: Pair<readonly Fault[]>) {
  const { duel, provers, decision } = await begin(job, commitEvery, faults);
  await duel.play(provers);
  const position = positionOf(duel.match.game.path);
  expect(position).toEqual(positionOf(decision.path));
  for (const side of SIDES) {
    const witness = await provers[side].witness(position);
    const snapshot = await chain.client.snapshot();
    expect(await duel.prove(witness!)).toEqual(decision.losers);
    await chain.client.revert({ id: snapshot });
  }
  return { duel, decision };
}

/** One fault in each kind of tree, and in trees of one leaf. */
const FAULTS: readonly [name: string, commitEvery: number, Fault][] = [
  ["a fold, in the middle of a segment", 2, at(3, 2, 5)],
  ["a map", 1, at(4, 3, 71)],
  ["a gather", 7, at(5, 1, 41)],
  ["a fold of integers, in the last kernel", 3, at(5, 10, 3)],
  ["a scalar", 1, at(1, 7, 0)],
  ["the init graph", 2, at(0, 0, 80)],
  ["an entry that is an operator's output", 2, entry(3, 0, 5)],
  ["an entry that does not change", 2, entry(2, 2, 1)],
  ["an entry that does not change, at the begin of a segment", 2, entry(3, 2, 1)],
  ["an entry that is of the dataset", 1, entry(2, 3, 5)],
  ["an entry of the initial state", 3, entry(0, 1, 7)],
];

/** Short folds of a GPT, by the ends of their labels: over one operand and over two, forward and backward. */
const SHORT_FOLDS = [
  "norm1/layer-norm-sum",
  "attention/scores",
  "attention/mixed-gradient",
  "norm1/layer-norm-gradient-sum",
];

describe("the contract and its counterpart", () => {
  test("execute a short fold whole", async () => {
    const gpt = await loadJob(GPT, { layers: 1, dim: 8, heads: 2, context: 8, batch: 2, steps: 2 });
    for (const end of SHORT_FOLDS) {
      const kernel = gpt.step.labels.findIndex((label) => label.endsWith(end));
      const { kind, type } = gpt.step.kernels[kernel];
      const fault = at(2, kernel, elementCount(type.shape) - 1);
      const { duel, decision } = await playOut(gpt, 1, [[fault], []]);
      expect([kind, duel.match.game.path.at(-1)?.level.name]).toEqual(["fold", "chunk"]);
      expect(decision.losers).toEqual([0]);
      await playOut(gpt, 1, [[], [fault]]);
    }
  });

  for (const [name, commitEvery, fault] of FAULTS)
    test(`lead a dispute about ${name} to where the referee comes to`, async () => {
      await playOut(job, commitEvery, [[fault], []]);
      await playOut(job, commitEvery, [[], [fault]]);
    });

  test("make both of two liars lose", async () => {
    await playOut(job, 2, [[entry(2, 3, 5)], [entry(2, 3, 5), entry(2, 3, 6)]]);
    await playOut(job, 2, [[entry(2, 3, 5)], [{ ...entry(2, 3, 5), flip: 2 }]]);
  });

  test("reach the initial state that the job holds", async () => {
    await playOut(tinyCheckpointJob(2), 1, [[entry(0, 0, 5)], []]);
    await playOut(tinyCheckpointJob(2), 1, [[entry(0, 0, 5)], [entry(0, 0, 6)]]);
  });

  test("make a side lose that does not move, wherever it stops, and not before its time is over", async () => {
    const { duel, provers } = await begin(job, 2, [[], [at(3, 2, 6)]]);
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
