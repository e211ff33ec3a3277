/**
 * The liar always loses: a fault in every operator of a complete training step, in several elements, and
 * within folds. The gate runs a seeded sample; `VERDE_SWEEP=1 npx vitest run test/contracts/liars.test.ts`
 * tests every operator several times.
 */
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import type { Hex } from "viem";
import { elementCount } from "../../src/encoding/tensor.ts";
import { type ClosedJob, outlineOf } from "../../src/job/closed.ts";
import { loadJob } from "../../src/job/load.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { type Pair, positionOf, type Side } from "../../src/game/level.ts";
import { graphAt, placeOf } from "../../src/referee/place.ts";
import { pointLength } from "../../src/repops/kernels/point.ts";
import { hex } from "../../src/settlement/game/facts.ts";
import { proofBound } from "../../src/settlement/game/proof-bound.ts";
import { foldLiar, type Party } from "../referee/liars.ts";
import { rememberedRun } from "../referee/remembered-run.ts";
import { tinyJob } from "../referee/tiny-job.ts";
import { type Chain, DAY, openChain } from "./chain.ts";
import { deployGame, Duel } from "./duel.ts";

const SWEEP = process.env.VERDE_SWEEP !== undefined;
const SEED = 20261121;
const GPT = fileURLToPath(new URL("../../examples/char-gpt.ts", import.meta.url));

/** Faults for each operator in the sweep, and the gate's share of the operators (one of this many). */
const JOBS = [
  ["the tiny job", async () => tinyJob(3), 4, 1],
  ["a GPT", () => loadJob(GPT, { layers: 1, dim: 8, heads: 2, context: 8, batch: 2, steps: 2 }), 2, 16],
] as const;

let chain: Chain;
let game: Hex;
beforeAll(async () => {
  chain = await openChain(400n * BigInt(DAY));
  game = await deployGame(chain);
});

/** A small generator (mulberry32), so that a sample is the same everywhere. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

interface Planned {
  step: number;
  kernel: number;
  element: number;
  /** A fold index, or `undefined` for a wrong element. */
  k: number | undefined;
  flip: number;
  commitEvery: number;
  liar: Side;
}

function plan(job: ClosedJob, times: number, oneOf: number): Planned[] {
  const below = generator(SEED);
  const steps = [0, 1, job.steps];
  const all: Planned[] = [];
  for (const step of steps) {
    const graph = step === 0 && job.init.kind === "graph" ? job.init.graph : job.step;
    for (const [kernel, { type, ...rest }] of graph.kernels.entries()) {
      const elements = elementCount(type.shape);
      const length = rest.kind === "fold" ? pointLength({ type, ...rest }) : 0;
      if (elements === 0) continue;
      for (let i = 0; i < times; i++) {
        const k = length > 1 && i % 2 === 1 ? below(length - 1) : undefined;
        const flip = [1, 0x3f000001, 0x80000000, 0x00400000][below(4)];
        const place = { step, kernel, element: below(elements), k, flip };
        all.push({ ...place, commitEvery: 1 + below(job.steps), liar: below(2) as Side });
      }
    }
  }
  return SWEEP ? all : all.filter((_, i) => (i + Math.floor(i / times)) % (times * oneOf) === 0);
}

async function liarOf(job: ClosedJob, { k, commitEvery, ...fault }: Planned): Promise<Party | undefined> {
  if (k !== undefined) return foldLiar(job, commitEvery, { ...fault, k });
  const { step, kernel, element, flip } = fault;
  const run = await rememberedRun(job, commitEvery, [{ step, at: { kernel }, element, flip }]);
  return { runRoot: run.runRoot, prover: trainingProver(run) };
}

describe("the liar loses", () => {
  test.each(JOBS)(
    "whatever operator of %s it lies about",
    async (_, make, times, oneOf) => {
      const job = await make();
      const planned = plan(job, times, oneOf);
      const facts = new Map([1, 2, 3].map((every) => [every, jobFacts(outlineOf(job), every)]));
      const honestRuns = new Map<number, Awaited<ReturnType<typeof rememberedRun>>>();
      let disputes = 0;
      for (const one of planned) {
        const { commitEvery, liar: side } = one;
        const honest = honestRuns.get(commitEvery) ?? (await rememberedRun(job, commitEvery));
        honestRuns.set(commitEvery, honest);
        const liar = await liarOf(job, one);
        // If a fault vanishes before anything depends on it, or changes nothing, there is nothing to dispute.
        if (!liar || hex(liar.runRoot) === hex(honest.runRoot)) continue;
        disputes++;
        const parties: Party[] = [{ runRoot: honest.runRoot, prover: trainingProver(honest) }, liar];
        if (side === 0) parties.reverse();
        const snapshot = await chain.client.snapshot();
        const roots = parties.map(({ runRoot }) => hex(runRoot)) as unknown as Pair<Hex>;
        const duel = await Duel.open(chain, game, job, commitEvery, roots);
        await duel.play([parties[0].prover, parties[1].prover]);
        const position = positionOf(duel.match.game.path);
        const witness = await parties[1 - side].prover.witness(position);
        expect(await duel.prove(witness!), JSON.stringify(one)).toEqual([side]);
        // What the terms of a task are checked against holds for every step.
        const place = placeOf(facts.get(commitEvery)!, position);
        const bound = proofBound(facts.get(commitEvery)!, graphAt(place), place.kernel!);
        const { gas, bytes } = duel.receipts[duel.receipts.length - 1];
        expect(gas, JSON.stringify(one)).toBeLessThanOrEqual(bound.gas);
        expect(bytes, JSON.stringify(one)).toBeLessThanOrEqual(bound.bytes);
        await chain.client.revert({ id: snapshot });
      }
      expect(disputes).toBeGreaterThan(planned.length / 2);
    },
    SWEEP ? 3_600_000 : 60_000,
  );
});
