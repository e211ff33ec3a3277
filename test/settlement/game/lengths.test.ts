/** What a dispute on a chain can't show is refused before anybody stakes on it (spec 9.1). */
import { expect, test } from "vitest";
import { outlineOf, type JobOutline } from "../../../src/job/closed.ts";
import { expectSettleable } from "../../../src/settlement/game/lengths.ts";
import { jobTermsOf, type JobTerms } from "../../../src/settlement/job-terms.ts";
import { tinyJob } from "../../referee/tiny-job.ts";

const outline = outlineOf(tinyJob(5));
const terms = jobTermsOf(outline, 2);
const { step } = outline;

const many = <T>(list: readonly T[], count: number): T[] => new Array<T>(count).fill(list[0]);

function problem(change: Partial<JobTerms>, job?: JobOutline): string {
  try {
    expectSettleable({ ...terms, ...change }, job);
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  return "";
}

test("a job within the bounds has a most expensive step, on chains with CLZ and without", () => {
  const [osaka, portable] = [expectSettleable(terms, outline), expectSettleable(terms, outline, "portable")];
  expect(osaka.gas).toBeGreaterThan(100_000);
  expect(portable.gas).toBeGreaterThan(osaka.gas);
  expect(expectSettleable(terms)).toBeUndefined();
});

test.each([
  ["steps", "training steps"],
  ["commitEvery", "training steps of a segment"],
  ["tensors", "tensors of the state"],
] as const)("terms with too many %s are refused without the job", (field, what) => {
  const most = field === "tensors" ? 2 ** 20 : 2 ** 31 - 1;
  expect(problem({ [field]: most })).toBe("");
  expect(problem({ [field]: most + 1 })).toContain(
    `VERDE_JOB_LENGTH: a dispute about this job can't be played: it has ${most + 1} ${what}`,
  );
  expect(problem({ [field]: Number.NaN })).toContain("VERDE_JOB_LENGTH");
});

test("a job that nobody has checked is refused by the length that is too large", () => {
  const inputs = { ...outline, step: { ...step, inputs: many(step.inputs, 2 ** 21 + 1) } };
  const outputs = { ...outline, step: { ...step, outputs: many(step.outputs, 2 ** 20 + 1) } };
  const [kernel] = step.kernels;
  if (kernel.kind === "gather") throw new Error("the first operator is a map");
  const wide = { ...kernel, args: many(kernel.args, 200) };
  const operator = { ...outline, step: { ...step, kernels: [wide, ...step.kernels.slice(1)] } };
  expect(problem({}, outputs)).toContain(
    "1048577 outputs of the step graph, and at most 1048576 fit into its transactions; join parameters",
  );
  expect(problem({}, inputs)).toContain("2097153 inputs of the step graph");
  expect(problem({}, operator)).toContain("bytes of the operator batch of the step graph, and at most 2533");
});
