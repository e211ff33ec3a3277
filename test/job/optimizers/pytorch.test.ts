/**
 * Optimizers, clipping and schedules against PyTorch's in float64: vectors that optimizers.py has recorded.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as job from "../../../src/job/index.ts";
import { type Given, jobOf, statesOf } from "./given-slopes.ts";

/** test/vectors/optimizers.json, which optimizers.py beside it writes. */
interface Vectors extends Omit<Given, "pull"> {
  cases: {
    optimizer: keyof typeof OPTIMIZERS;
    options: Record<string, unknown>;
    /** The options of a group that has the vector alone. */
    group?: Record<string, unknown>;
    weights: Record<string, number[]>;
  }[];
  schedules: { schedule: keyof typeof SCHEDULES; options: Record<string, unknown>; rates: number[] }[];
}

const { adam, adamW, nAdam, rAdam, rmsProp, sgd } = job;
const OPTIMIZERS = { adam, adamW, nAdam, rAdam, rmsProp, sgd };
const { constantLR, cosineAnnealingLR, cosineAnnealingWarmRestarts, exponentialLR, linearLR, multiStepLR, stepLR } =
  job;
const SCHEDULES = {
  constantLR,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  linearLR,
  multiStepLR,
  stepLR,
  sequentialLR: ({ learningRate }: { learningRate: number }) =>
    job.sequentialLR({
      schedules: [
        linearLR({ learningRate, startFactor: 0.25, totalSteps: 4 }),
        exponentialLR({ learningRate, gamma: 0.5 }),
      ],
      milestones: [5],
    }),
};
const { cases, schedules, shapes, start, slopes } = JSON.parse(
  readFileSync(new URL("../../vectors/optimizers.json", import.meta.url), "utf8"),
) as Vectors;

/** The largest difference from float64 in ten steps: some roundings of weights of magnitude 1. */
const TOLERANCE = 2e-6;

describe("ten steps as PyTorch takes them in float64", () => {
  test.each(cases.map((each) => [`${each.optimizer} ${JSON.stringify({ ...each.options, group: each.group })}`, each]))(
    "%s",
    async (_, { optimizer, options, group, weights }) => {
      const all = { ...options, ...(group && { groups: [{ match: /^vector$/, ...group }] }) };
      const closed = await jobOf(() => OPTIMIZERS[optimizer](all as never), { shapes, start, slopes, pull: 1 / 4 });
      const last = (await statesOf(closed)).at(-1)!;
      for (const [name, expected] of Object.entries(weights)) {
        const found = last.get(name)!;
        expect(found).toHaveLength(expected.length);
        const worst = Math.max(...expected.map((value, i) => Math.abs(value - found[i])));
        expect(worst, `${name}: ${worst}`).toBeLessThan(TOLERANCE);
      }
    },
  );
});

describe("the rates of PyTorch's schedules", () => {
  test.each(schedules.map((each) => [`${each.schedule} ${JSON.stringify(each.options)}`, each]))(
    "%s",
    async (_, { schedule, options, rates }) => {
      const make = SCHEDULES[schedule] as (all: object) => job.Schedule;
      const one = { shapes: { w: [1] }, start: { w: [0] }, slopes: { w: rates.map(() => [0]) }, pull: 0 };
      const closed = await jobOf(() => sgd({ learningRate: make({ learningRate: 0.5, ...options }) }), one);
      const found = (await statesOf(closed)).map((state) => state.get("metrics/learning-rate")![0]);
      expect(found).toHaveLength(rates.length);
      rates.forEach((rate, t) => expect(Math.abs(found[t] - rate), `step ${t + 1}`).toBeLessThan(1e-6 * rate + 1e-9));
    },
  );
});
