/** Random disputes: every loser that has signed is refuted by `checkVerdict` alone, and no winner is. */
import { expect, test } from "vitest";
import { bytesEqual } from "../../../src/encoding/bytes.ts";
import { elementCount } from "../../../src/encoding/tensor.ts";
import type { Pair, Side } from "../../../src/game/level.ts";
import { checkVerdict } from "../../../src/referee/check-verdict.ts";
import { generator } from "../../graph/numeric.ts";
import { disputeRemembered } from "../remembered-dispute.ts";
import { type Fault, rememberedRun } from "../remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "../tiny-job.ts";

const SEED = 20261128;
/** The whole sweep is 3,400 disputes. The gate runs a seeded sample. */
const DISPUTES = process.env.VERDE_SWEEP === undefined ? 150 : 3400;
const random = generator(SEED);
const below = (limit: number): number => Math.floor(random() * limit);
const JOBS = [tinyJob(5), tinyJob(2), tinyCheckpointJob(3)];

test(`${DISPUTES} disputes: losers are refuted, and winners are not`, { timeout: 3_600_000 }, async () => {
  let [proofs, both] = [0, 0];
  for (let i = 0; i < DISPUTES; i++) {
    const job = JOBS[below(JOBS.length)];
    const commitEvery = 1 + below(5);
    const faultIn = (): Fault => {
      const step = below(job.steps + 1);
      const graph = step > 0 ? job.step : job.init.kind === "graph" ? job.init.graph : undefined;
      const flip = [1, 0x3f000008, 0x80000000, 0x00400000][below(4)];
      const element = below(1 << 20);
      if (graph && below(4) > 0) {
        const kernel = below(graph.kernels.length);
        const count = elementCount(graph.kernels[kernel].type.shape);
        if (count > 0) return { step, at: { kernel }, element: element % count, flip };
      }
      const types = job.step.inputs.slice(0, job.step.outputs.length);
      const entries = types.flatMap(({ shape }, entry) => (elementCount(shape) > 0 ? [entry] : []));
      const entry = entries[below(entries.length)];
      return { step, at: { entry }, element: element % elementCount(types[entry].shape), flip };
    };
    const liar = below(2) as Side;
    const faults: Pair<readonly Fault[]> =
      below(4) === 0 ? [[faultIn()], [faultIn()]] : liar === 0 ? [[faultIn()], []] : [[], [faultIn()]];
    const roots = await Promise.all(faults.map(async (list) => (await rememberedRun(job, commitEvery, list)).runRoot));
    if (bytesEqual(roots[0], roots[1])) continue;
    const honest = await rememberedRun(job, commitEvery);
    const what = `seed ${SEED}, dispute ${i}: ${JSON.stringify({ commitEvery, steps: job.steps, faults })}`;
    const { claims, decision, verdict, proven } = await disputeRemembered({ job, commitEvery, faults });
    expect(decision.losers.length, what).toBeGreaterThan(0);
    // A side without a fault loses to nobody. One with a fault that vanished loses as what its key said, not as its root.
    for (const side of decision.losers) {
      expect(faults[side].length, what).toBeGreaterThan(0);
      if (!bytesEqual(roots[side], honest.runRoot)) continue;
      expect(() => checkVerdict(verdict, [{ run: claims[side].run }]), what).toThrow();
    }
    expect(proven, what).toEqual(decision.losers);
    for (const side of [0, 1] as const) {
      const isRefuted = ((): boolean => {
        try {
          return checkVerdict(JSON.parse(JSON.stringify(verdict)), [claims[side]]).losers.length > 0;
        } catch {
          return false;
        }
      })();
      // A proof against two refuses to be asked about one that it is not about, and never names a winner.
      if (!decision.losers.includes(side)) expect(isRefuted, what).toBe(false);
      else if (decision.losers.length === 1) expect(isRefuted, what).toBe(true);
    }
    expect(checkVerdict(verdict, claims).losers, what).toEqual(decision.losers);
    proofs++;
    if (decision.losers.length === 2) both++;
  }
  expect(proofs).toBeGreaterThan(DISPUTES / 2);
  expect(both).toBeGreaterThan(0);
});
