/** Optimizers of a job that begins with the step of another run: their own state begins anew. */
import { describe, expect, test } from "vitest";
import { adafactor, ema, intTensor, nAdam, type Optimizer, rAdam, sgd } from "../../../src/job/index.ts";
import { startFrom } from "../../../src/trace/start.ts";
import { jobOf, statesOf } from "./given-slopes.ts";

const OPTIMIZERS: Record<string, () => Optimizer> = {
  adafactor: () => adafactor({ learningRate: 0.5 }),
  ema: () => ema(sgd({ learningRate: 0.25 }), { decay: 0.75 }),
  nAdam: () => nAdam({ learningRate: 0.1, momentumDecay: 0.5 }),
  rAdam: () => rAdam({ learningRate: 0.1, beta2: 0.9 }),
  "sgd with dampening": () => sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.5 }),
  "skipAbove by ratio": () => sgd({ learningRate: 0.1, skipAbove: { ratio: 1.5, after: 2, decay: 0.5 } }),
};

describe("at a later step take the same first steps", () => {
  test.each(Object.entries(OPTIMIZERS))("%s", async (_, optimizer) => {
    const row = [1, -0.5, 0.25];
    // The gradient is the same in all steps but the fourth after the beginning.
    const slopesFrom = (first: number): number[][] =>
      Array.from({ length: 14 }, (_, i) => (i === first + 3 ? row.map((each) => 4 * each) : row));
    const given = (first: number) => ({
      shapes: { w: [3] },
      start: { w: [1, 1, 1] },
      slopes: { w: slopesFrom(first) },
      pull: 0.5,
    });
    const fresh = await statesOf({ ...(await jobOf(optimizer, given(0))), steps: 7 });
    const closed = await jobOf(optimizer, given(7));
    const { job } = await startFrom(closed, [{ name: "step", ...intTensor([], [7]) }], { partial: true });
    const later = await statesOf({ ...job, steps: 7 });
    expect(later.map((state) => state.get("step")![0])).toEqual([8, 9, 10, 11, 12, 13, 14]);
    later.forEach((state, i) => {
      for (const [name, values] of fresh[i])
        if (name !== "step") expect(state.get(name), `${name}, ${i}`).toEqual(values);
    });
  });
});
