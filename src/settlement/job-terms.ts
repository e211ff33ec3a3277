/** The terms of a task that follow from its job, and the check that a trace belongs to that job. */
import type { Hex } from "viem";
import { toHex } from "../encoding/bytes.ts";
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type JobOutline, jobIdOf, partsOf, stateTypes } from "../job/closed.ts";
import type { Trace } from "../trace/open.ts";
import { layoutRoot } from "./delivery.ts";
import type { Terms } from "./task.ts";

/** The fields of a task's terms that follow from its job. */
export type JobTerms = Pick<Terms, "job" | "stateLayout" | "steps" | "commitEvery" | "tensors">;

/** @throws {JobError} for a job whose game the contracts do not play */
function expectPlayable({ name, steps, init, lists }: JobOutline): void {
  const reads = init.kind === "graph" && init.graph.inputs.length > 0;
  if (steps > 0 && !reads && !lists) return;
  const what = steps === 0 ? "has no training steps" : reads ? "has an initial state that reads its dataset" : "has a dataset of several lists"; // prettier-ignore
  throw new JobError(
    "ON_CHAIN",
    `${quote(name)} ${what}, and the contracts do not play disputes about such a job; settle it without a chain`,
    { job: name },
  );
}

/** The terms that follow from a job. @param commitEvery training steps in a segment */
export function jobTermsOf(outline: JobOutline, commitEvery: number): JobTerms {
  expectPlayable(outline);
  const types = stateTypes(outline);
  return {
    job: toHex(jobIdOf(partsOf(outline))) as Hex,
    stateLayout: toHex(layoutRoot(types)) as Hex,
    steps: outline.steps,
    commitEvery,
    tensors: types.length,
  };
}

/** @throws {JobError} when a trace belongs to another job, or has another number of steps in a segment */
export function expectTraceOf({ path, manifest }: Trace, wanted: JobTerms): void {
  const { outline, commitEvery } = manifest;
  const own = jobTermsOf(outline, commitEvery);
  if (own.job !== wanted.job)
    throw new JobError(
      "FOREIGN",
      `${path} is a run of ${quote(outline.name)}, ${own.job}, but the task is for the job ${wanted.job}; name a run of that job`,
      {
        path,
        expected: wanted.job,
        found: own.job,
      },
    );
  if (own.commitEvery !== wanted.commitEvery)
    throw new JobError(
      "COMMIT_EVERY",
      `${path} has a root every ${own.commitEvery} training steps, but the task needs one every ${wanted.commitEvery}; ` +
        `run the job again with --commit-every ${wanted.commitEvery}`,
      { path, expected: wanted.commitEvery, found: own.commitEvery },
    );
  for (const field of ["stateLayout", "steps", "tensors"] as const)
    if (own[field] !== wanted[field])
      throw new JobError(
        "FOREIGN",
        `the task's terms say ${field} ${wanted[field]}, but the job has ${own[field]}; no run can match these terms, so do not accept the task`,
        { path, field, expected: wanted[field], found: own[field] },
      );
}
