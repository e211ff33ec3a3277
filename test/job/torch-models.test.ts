/**
 * The examples, a ResNet and a BERT beside PyTorch: 50 training steps each, from the same weights and with the same batches. The
 * losses of test/vectors/torch-models.json are those of twins that PyTorch trained in float64
 * (scripts/torch-vectors/models.py). What binary32 rounds away leaves them less than 1e-4 apart.
 */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadJob } from "../../src/job/load.ts";
import { statesOf } from "./optimizers/given-slopes.ts";

interface Case {
  /** The file of a job module, without the extension. */
  module: string;
  options: Record<string, number>;
  losses: number[];
  /** The losses of the evaluation in the same steps, where there is one. */
  evaluated?: number[];
}

/** The largest difference of two losses: an absolute one, and losses are between 0.3 and 6. */
const TOLERANCE = 1e-4;
/** What the examples folder has besides jobs that train; and the GPT again, in shards. */
const OTHERS = ["data-parallel", "digits", "perplexity", "stages", "subspace", "text"];

const { cases } = JSON.parse(readFileSync(new URL("../vectors/torch-models.json", import.meta.url), "utf8")) as {
  cases: Case[];
};

/** The first step whose loss is not that of PyTorch, in words. */
function firstDifference(found: readonly number[], wanted: readonly number[]): string | undefined {
  const at = wanted.findIndex((loss, i) => !(Math.abs(loss - found[i]) < TOLERANCE));
  return at < 0 ? undefined : `step ${at + 1} has a loss of ${found[at]}, and PyTorch's is ${wanted[at]}`;
}

describe("the losses of 50 training steps are those of PyTorch", () => {
  test.each(cases)("$module", async ({ module, options, losses, evaluated }) => {
    const states = await statesOf(await loadJob(`${module}.ts`, options));
    expect(losses).toHaveLength(50);
    const found = states.map((state) => state.get("metrics/loss")![0]);
    expect(firstDifference(found, losses)).toBeUndefined();
    if (evaluated) {
      expect(evaluated).toHaveLength(50);
      const means = states.map((state) => state.get("metrics/evaluated")![0]);
      expect(firstDifference(means, evaluated)).toBeUndefined();
    }
    expect(losses[49], "the last loss").toBeLessThan(losses[0] - 0.05);
  });
});

test("every example that trains has losses of PyTorch", () => {
  const names = readdirSync("examples").flatMap((file) => (file.endsWith(".ts") ? [file.slice(0, -3)] : []));
  const recorded = cases.map(({ module }) => module);
  for (const name of names) expect(recorded.includes(`examples/${name}`), name).toBe(!OTHERS.includes(name));
});

test("a difference in one step is seen", async () => {
  const { options, losses } = cases.find(({ module }) => module === "examples/mlp-spirals")!;
  expect(firstDifference(losses, losses)).toBeUndefined();
  expect(firstDifference(losses.with(30, losses[30] + 2 * TOLERANCE), losses)).toMatch("step 31");
  expect(firstDifference(losses.slice(0, 49), losses)).toMatch("step 50");
  // A learning rate that is 1 % larger.
  const states = await statesOf(await loadJob("examples/mlp-spirals.ts", { ...options, rate: 0.0101 }));
  expect(
    firstDifference(
      states.map((state) => state.get("metrics/loss")![0]),
      losses,
    ),
  ).toMatch(/^step [2-9] /);
});
