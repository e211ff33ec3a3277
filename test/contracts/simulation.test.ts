/** Simulated disputes, compared with disputes that are played on a chain. */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { type Hex, parseGwei } from "viem";
import { type ClosedJob, outlineOf } from "../../src/job/closed.ts";
import { countParameters } from "../../src/job/parameters.ts";
import { loadJob } from "../../src/job/load.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { courseTo, longestCourse } from "../../src/referee/course.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { BOND_MARGIN, DEFAULT_GAS_BOND, SIDE_GAS } from "../../src/settlement/game/bond.ts";
import { FRAME, FRAME_GAS, moveGas, roundsOf } from "../../src/settlement/game/gas.ts";
import { positionOf } from "../../src/game/level.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { MODELS, modelJob } from "../../src/settlement/simulation/models.ts";
import { simulateDispute } from "../../src/settlement/simulation/simulation.ts";
import { disputeRemembered } from "../referee/remembered-dispute.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, openChain } from "./chain.ts";
import { deployGame, Duel } from "./duel.ts";

const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));
const gpt = (): Promise<ClosedJob> => loadJob(GPT, { layers: 1, dim: 16, heads: 2, context: 16, batch: 2, steps: 3 });

/** The largest relative difference between a dispute's gas and the estimate. */
const TOLERANCE = 0.05;

const CASES = [
  ["a fold of the tiny job", async () => tinyJob(5), 2, 2, 5],
  ["a product of a GPT", gpt, 2, 80, 33],
  ["a map of a GPT", gpt, 1, 20, 33],
  ["a sum of a GPT, in a segment of three steps", gpt, 3, "norm2/layer-norm-gradient-sum", 3],
] as const;

let chain: Chain;
let game: Hex;
beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
});

describe("a simulated dispute", () => {
  test.each(CASES)("about %s has the moves and the gas of one on a chain", async (_, make, every, place, element) => {
    const job = await make();
    const kernel = typeof place === "number" ? place : job.step.labels.findIndex((label) => label.endsWith(place));
    const faults = [[], [{ step: 3, at: { kernel }, element, flip: 0x3f000001 }]] as const;
    const { runs, runRoots, location } = await disputeRemembered({ job, commitEvery: every, faults });
    const duel = await Duel.open(chain, game, job, every, [hex(runRoots[0]), hex(runRoots[1])]);
    await duel.play([trainingProver(runs[0]), trainingProver(runs[1])]);
    const facts = jobFacts(outlineOf(job), every);
    const shape = job.step.kernels[kernel].type.shape;
    const flat = (location.element ?? []).reduce((at, coordinate, axis) => at * shape[axis] + coordinate, 0);
    const passages = courseTo(facts, {
      step: 3,
      kernel: location.operator!.number,
      element: flat,
      fold: location.fold ?? 0,
    });
    const estimated = moveGas(passages.flatMap(roundsOf));
    const actual = duel.receipts.map(({ gas }) => gas);
    expect(estimated.length).toBe(actual.length);
    const total = (all: readonly number[]): number => all.reduce((sum, gas) => sum + gas, 0);
    expect(Math.abs(total(estimated) / total(actual) - 1)).toBeLessThan(TOLERANCE);
  });

  test("opens, pairs and closes as one on a chain, when the accounts have been paid before", async () => {
    const faults = [[], [{ step: 3, at: { kernel: 5 }, element: 5, flip: 0x3f000001 }]] as const;
    const job = tinyJob(5);
    const { runs, runRoots } = await disputeRemembered({ job, commitEvery: 2, faults });
    const measured: Record<keyof typeof FRAME, number>[] = [];
    for (let time = 0; time < 2; time++) {
      const duel = await Duel.open(chain, game, job, 2, [hex(runRoots[0]), hex(runRoots[1])]);
      const prover = trainingProver(runs[0]);
      await duel.play([prover, trainingProver(runs[1])]);
      expect(await duel.prove((await prover.witness(positionOf(duel.match.game.path)))!)).toEqual([1]);
      measured.push({ open: duel.opened!.gas, pair: duel.paired, close: await duel.close() });
    }
    for (const name of ["open", "pair", "close"] as const)
      expect(Math.abs(FRAME[name] / measured[1][name] - 1), `${name}: ${measured[1][name]}`).toBeLessThan(TOLERANCE);
  });

  test("about the largest model has the sizes of its real graph", async () => {
    const shape = MODELS[MODELS.length - 1];
    const job = await modelJob(shape, 1_000_000);
    expect(countParameters(job)).toBeGreaterThan(1e12);
    const surroundings = { blockSeconds: 12, stepSeconds: 1, checkpointEvery: 1 };
    const facts = jobFacts(outlineOf(job), 1);
    const { levels, rounds, transactions, gas, proof, replayed, seconds } = simulateDispute(facts, surroundings);
    expect(levels).toBeLessThan(rounds);
    // The opening move has no reply. After the moves come the step, and the calls that open and close the
    // bracket.
    expect(transactions).toBe(longestCourse(facts).flatMap(roundsOf).length + 1 + 4);
    expect(transactions).toBeLessThan(0.7 * rounds);
    expect(seconds).toBe(12 * transactions + replayed);
    // One side makes half of the moves, and perhaps all other calls (docs/dispute-game.md).
    const side = (gas - FRAME_GAS - proof) / 2 + FRAME_GAS + proof;
    expect(side).toBeLessThanOrEqual(Number(SIDE_GAS));
    expect(DEFAULT_GAS_BOND).toBe(SIDE_GAS * BOND_MARGIN * parseGwei("20"));
    // Halving a million steps, the operators, the largest tensor's chunks and the longest fold takes at least
    // that.
    expect(levels).toBeGreaterThanOrEqual(20 + Math.floor(Math.log2(job.step.kernels.length)) + 20 + 14);
  });
});
