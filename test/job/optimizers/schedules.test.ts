/** Schedules at their beginnings, at their ends and beyond. */
import { describe, expect, test } from "vitest";
import * as job from "../../../src/job/index.ts";

const { evaluate, intTensor } = job;

/** The rates of a schedule at some steps. */
async function rates(schedule: job.Schedule, ...steps: number[]): Promise<number[]> {
  const out = await Promise.all(
    steps.map(async (step) => {
      const rate = await evaluate(({ at }) => schedule({ builder: at.builder, step: at }), {
        at: intTensor([], [step]),
      });
      return rate.data[0];
    }),
  );
  return out;
}
const round = (x: number): number => Math.fround(x);
const FAR = 2 ** 31 - 1;

describe("a schedule", () => {
  test("with warm-up grows from 0 at step 0 to its peak, and ends at its last step", async () => {
    const wsd = (shape: "linear" | "sqrt") =>
      job.warmupStableDecay({ peak: 0.5, warmup: 4, decay: 8, steps: 20, final: 0.125, shape });
    const steps = [0, 1, 4, 5, 12, 14, 20, 21, FAR];
    expect(await rates(wsd("linear"), ...steps)).toEqual([0, 0.125, 0.5, 0.5, 0.5, 0.40625, 0.125, 0.125, 0.125]);
    expect(await rates(wsd("sqrt"), ...steps)).toEqual([0, 0.125, 0.5, 0.5, 0.5, 0.3125, 0.125, 0.125, 0.125]);
    const cosine = job.warmupCosine({ peak: 0.5, warmup: 4, steps: 20, final: 0.125 });
    expect(await rates(cosine, 0, 1, 4, 12, 20, 21, FAR)).toEqual([0, 0.125, 0.5, 0.3125, 0.125, 0.125, 0.125]);
    const none = job.warmupStableDecay({ peak: 0.5, warmup: 0, decay: 1, steps: 1 });
    expect(await rates(none, 0, 1, 2)).toEqual([0.5, 0, 0]);
  });

  test.each<[string, job.Schedule, number, number]>([
    ["constantRate", job.constantRate(0.3), 0.3, 0.3],
    ["constantLR", job.constantLR({ learningRate: 0.3 }), 0.1, 0.3],
    ["linearLR", job.linearLR({ learningRate: 0.3, startFactor: 1, endFactor: 0.2, totalSteps: 7 }), 0.3, 0.06],
    ["cosineAnnealingLR", job.cosineAnnealingLR({ learningRate: 0.3, tMax: 7, etaMin: 0.07 }), 0.3, 0.07],
    ["stepLR", job.stepLR({ learningRate: 0.3, stepSize: 7 }), 0.3, 0],
    ["multiStepLR", job.multiStepLR({ learningRate: 0.3, milestones: [3, 9], gamma: 0 }), 0.3, 0],
    ["exponentialLR", job.exponentialLR({ learningRate: 0.3, gamma: 0.9 }), 0.3, 0],
  ])("%s begins with its first value, also at step 0, and keeps its last one", async (_, schedule, first, last) => {
    const found = await rates(schedule, 0, 1, FAR);
    expect(found[0]).toBe(found[1]);
    expect(found[1]).toBeCloseTo(first, 7);
    expect(found[2]).toBe(last === 0 ? found[2] : round(last));
    expect(found[2]).toBeCloseTo(last, 7);
  });

  test("of restarts begins again at the same rate", async () => {
    const restarts = job.cosineAnnealingWarmRestarts({ learningRate: 0.5, t0: 3, tMult: 3 });
    expect(await rates(restarts, 1, 4, 13, 40, 121)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5]);
  });

  test("of phases counts the steps of each from its own beginning", async () => {
    const phases = job.sequentialLR({
      schedules: [
        job.constantRate(1),
        job.stepLR({ learningRate: 0.5, stepSize: 2, gamma: 0.5 }),
        job.constantRate(0.25),
      ],
      milestones: [2, 6],
    });
    expect(await rates(phases, 0, 1, 2, 3, 4, 5, 6, 7, FAR)).toEqual([1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]);
  });

  test.each<[string, () => unknown, string]>([
    ["stepLR", () => job.stepLR({ learningRate: 1, stepSize: 0 }), "stepLR: stepSize is 0; take a whole number from 1"],
    ["stepLR", () => job.stepLR({ learningRate: 1, size: 3 } as never), "there is no option size"],
    ["linearLR", () => job.linearLR({ learningRate: -1 }), "learningRate is -1"],
    ["exponentialLR", () => job.exponentialLR({ learningRate: 1, gamma: 0 }), "gamma is 0; take a number above 0"],
    [
      "multiStepLR",
      () => job.multiStepLR({ learningRate: 1, milestones: [3, 3] }),
      "milestone 1 is 3; take a whole number from 4",
    ],
    ["multiStepLR", () => job.multiStepLR({ learningRate: 1, milestones: [] }), "milestones is a list of 0"],
    [
      "sequentialLR",
      () => job.sequentialLR({ schedules: [job.constantRate(1)], milestones: [3] }),
      "1 schedules have 1 milestones; give one less than there are schedules",
    ],
    [
      "warmupStableDecay",
      () => job.warmupStableDecay({ peak: 1, warmup: 5, decay: 6, steps: 10 }),
      "a schedule of 10 steps can't have 5 steps of warm-up and 6 of decay",
    ],
    [
      "warmupStableDecay",
      () => job.warmupStableDecay({ peak: 1, warmup: 0, decay: 1, steps: 2, shape: "cubic" as never }),
      'shape is the text "cubic"; take linear or sqrt',
    ],
  ])("%s names what is wrong", (_, call, message) => expect(call).toThrow(message));
});
