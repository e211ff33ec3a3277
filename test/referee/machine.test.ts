import { describe, expect, it } from "vitest";
import { elementCount } from "../../src/encoding/tensor.ts";
import { type ClosedJob, outlineOf } from "../../src/job/closed.ts";
import { trainingProver } from "../../src/referee/claim.ts";
import { jobFacts } from "../../src/referee/facts.ts";
import { judge } from "../../src/referee/judge.ts";
import { positionOf } from "../../src/game/level.ts";
import { trainingMachine } from "../../src/referee/machine.ts";
import { placeOf } from "../../src/referee/place.ts";
import { newTally, play } from "../../src/game/play.ts";
import { type Fault, rememberedRun } from "./remembered-run.ts";
import { tinyCheckpointJob, tinyJob } from "./tiny-job.ts";

async function dispute(job: ClosedJob, commitEvery: number, faults: readonly [Fault[], Fault[]]) {
  const runs = [
    await rememberedRun(job, commitEvery, faults[0]),
    await rememberedRun(job, commitEvery, faults[1]),
  ] as const;
  const facts = jobFacts(outlineOf(job), commitEvery);
  const machine = trainingMachine(facts);
  const provers = [trainingProver(runs[0]), trainingProver(runs[1])] as const;
  const end = await play(machine, provers, [runs[0].runRoot, runs[1].runRoot], newTally());
  if (end.phase !== "bottom") throw new Error(`forfeit: ${end.reasons.join()}`);
  const at = positionOf(end.path);
  const [first, second] = [await provers[0].witness(at), await provers[1].witness(at)];
  const judgement = judge(facts, end.path, first!, 0);
  // The proofs lead to the trees of the side that shows them. All else is the same.
  const { used, ...other } = judge(facts, end.path, second!, 1);
  expect({ ...other, used: judgement.used }).toEqual(judgement);
  expect(used.length).toBe(judgement.used.length);
  return { place: placeOf(facts, at), ...judgement };
}

describe("training machine", () => {
  const job = tinyJob(5);
  const initGraph = job.init.kind === "graph" ? job.init.graph : job.step;
  /** Nothing reads these outputs, so the next step's state forgets them. */
  const forgotten = ["none", "above"];

  for (const [commitEvery, step] of [
    [1, 0],
    [1, 1],
    [2, 2],
    [2, 5],
    [3, 4],
    [7, 3],
  ]) {
    it(`finds a wrong element of any kernel in step ${step}, committed every ${commitEvery}`, async () => {
      const graph = step === 0 ? initGraph : job.step;
      for (const [kernel, { type, ...rest }] of graph.kernels.entries()) {
        const count = elementCount(type.shape);
        const committed = step % commitEvery === 0 || step === job.steps;
        if (count === 0 || (!committed && forgotten.includes(graph.labels[kernel]))) continue;
        for (const element of new Set([0, Math.floor(count / 2), count - 1])) {
          const flip = type.dtype === "i32" ? 8 : 0x3f000001;
          const { place, losers } = await dispute(job, commitEvery, [[], [{ step, at: { kernel }, element, flip }]]);
          expect(place).toMatchObject({ step, kernel, element });
          expect(losers).toEqual([1]);
          const length = "reduce" in rest ? elementCount(rest.reduce) : 0;
          expect(place.fold).toBe(length > 0 ? length - 1 : undefined);
        }
      }
    });
  }

  it("finds a wrong entry of the new state when all kernels agree", async () => {
    for (const entry of job.step.outputs.keys())
      for (const step of [0, 3, 4, 5]) {
        if (elementCount(job.step.inputs[entry].shape) === 0) continue;
        const fault: Fault = { step, at: { entry }, element: 0, flip: 1 };
        const { place, losers, scalarSteps } = await dispute(job, 1, [[fault], []]);
        expect(place).toMatchObject({ step, entry });
        expect(losers).toEqual([0]);
        expect(scalarSteps).toBe(0);
      }
  });

  it("finds who does not begin with the job's checkpoint", async () => {
    const fault: Fault = { step: 0, at: { entry: 1 }, element: 4, flip: 0x10 };
    for (const commitEvery of [1, 2, 5]) {
      const { place, losers, recomputed } = await dispute(tinyCheckpointJob(3), commitEvery, [[], [fault]]);
      expect(place).toEqual({ level: "segment", segment: 0, step: 0 });
      expect(losers).toEqual([1]);
      expect(recomputed).toEqual((await rememberedRun(tinyCheckpointJob(3), commitEvery)).segmentRoots[0]);
    }
  });

  it("blames both when both are wrong at the same place", async () => {
    const at = { kernel: 2 };
    const faults = [0x10, 0x20].map((flip): Fault => ({ step: 2, at, element: 17, flip }));
    const { losers, claimed, recomputed } = await dispute(job, 1, [[faults[0]], [faults[1]]]);
    expect(losers).toEqual([0, 1]);
    expect(claimed).not.toContainEqual(recomputed);
  });

  it("blames the one whose fault lies further left, whatever the other did later", async () => {
    const early: Fault = { step: 2, at: { kernel: 5 }, element: 3, flip: 0x100 };
    const late: Fault = { step: 2, at: { kernel: 6 }, element: 0, flip: 0x100 };
    expect((await dispute(job, 1, [[late], [early]])).losers).toEqual([1]);
    expect((await dispute(job, 1, [[early], [late]])).losers).toEqual([0]);
  });
});
