/** What a run's summary says of what its operators noted. */
import { expect, test } from "vitest";
import { describeObserved } from "../../src/cli/observed.ts";
import type { RunResult } from "../../src/trace/run.ts";

const seen = (noted?: RunResult["noted"]): RunResult =>
  ({ saturated: [], outOfRange: [], ...(noted && { noted }) }) as unknown as RunResult;

test("each kind has its line, with the operator, its first step and the number of steps", () => {
  const at = { step: 4, steps: 3 };
  const rows = describeObserved(
    seen([
      { label: "head/matmul", kind: "above", exponent: 51, ...at },
      { label: "a/sum", kind: "above", exponent: 102, step: 5, steps: 1 },
      { label: "b/exp", kind: "saturated", exponent: 127, ...at },
      { label: "c/log", kind: "domain", step: 6, steps: 2 },
      { label: "d/matmul", kind: "below", exponent: -51, ...at },
      { label: "e/matmul", kind: "below", exponent: -51, ...at },
    ]),
  );
  expect(rows).toEqual([
    ["diverged", "head/matmul multiplied magnitudes above 2^51 at training step 4, and in 3 steps in all", true],
    ["diverged", "a/sum added magnitudes above 2^102 at training step 5", true],
    ["diverged", "b/exp reached 2^127 at training step 4, and in 3 steps in all", true],
    ["domain", "c/log had operands outside of its domain at training step 6, and in 2 steps in all", true],
    ["counted as 0", "magnitudes below 2^-51 in d/matmul from training step 4 on, and 1 more operators", false],
  ]);
});

test("nothing was noted, or it is not known", () => {
  expect(describeObserved(seen([]))).toEqual([]);
  expect(describeObserved(seen())).toEqual([["not seen", expect.stringContaining("can't tell"), false]]);
});
