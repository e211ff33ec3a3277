/** What the terms of a task take from a job, and whether a trace is of that job. */
import { extname } from "node:path";
import type { Hex } from "viem";
import { toHex } from "../../encoding/bytes.ts";
import { JobError } from "../../errors/index.ts";
import type { NamedType } from "../../graph/graph.ts";
import { type JobOutline, jobIdOf, outlineOf, partsOf, stateTypes } from "../../job/closed.ts";
import type { Overrides } from "../../job/define.ts";
import { loadJob } from "../../job/load.ts";
import { layoutRoot } from "../../settlement/delivery.ts";
import { openTrace } from "../../trace/folder.ts";
import { expectComplete, type Trace } from "../../trace/open.ts";
import type { RunRoot } from "../../trace/commitments.ts";

export interface JobTerms {
  job: Hex;
  stateLayout: Hex;
  steps: number;
  commitEvery: number;
  tensors: number;
}

export interface NamedJob {
  name: string;
  terms: JobTerms;
  /** The entries of its state. */
  types: readonly NamedType[];
  outline: JobOutline;
}

export function jobTermsOf(outline: JobOutline, commitEvery: number): JobTerms {
  const types = stateTypes(outline);
  return {
    job: toHex(jobIdOf(partsOf(outline))) as Hex,
    stateLayout: toHex(layoutRoot(types)) as Hex,
    steps: outline.steps,
    commitEvery,
    tensors: types.length,
  };
}

/**
 * @param path a job module, or a trace: then its own number of steps a segment counts
 * @throws {JobError | FormatError} when it can't be loaded
 */
export async function jobTerms(path: string, commitEvery: number | undefined, options: Overrides): Promise<NamedJob> {
  const manifest = extname(path) === ".trace" ? (await openTrace(path)).manifest : undefined;
  const outline = manifest ? manifest.outline : outlineOf(await loadJob(path, options));
  const terms = jobTermsOf(outline, commitEvery ?? manifest?.commitEvery ?? 1);
  return { name: outline.name, terms, types: stateTypes(outline), outline };
}

/**
 * A finished trace of the task's job.
 * @throws {FormatError} when it is cut, {JobError} when it is of another job, or committed to otherwise
 */
export async function traceFor(path: string, wanted: JobTerms): Promise<Trace & { runRoot: RunRoot }> {
  const trace = expectComplete(await openTrace(path));
  const { outline, commitEvery } = trace.manifest;
  const own = jobTermsOf(outline, commitEvery);
  if (own.job !== wanted.job)
    throw new JobError(
      "FOREIGN",
      `${path} is a run of ${outline.name}, ${own.job}; the task is for the job ${wanted.job}; name a run of that job`,
      { path, expected: wanted.job, found: own.job },
    );
  if (own.commitEvery !== wanted.commitEvery)
    throw new JobError(
      "COMMIT_EVERY",
      `${path} has a root every ${own.commitEvery} steps, the task wants one every ${wanted.commitEvery}; ` +
        `run the job again with --commit-every ${wanted.commitEvery}`,
      { path, expected: wanted.commitEvery, found: own.commitEvery },
    );
  for (const field of ["stateLayout", "steps", "tensors"] as const)
    if (own[field] !== wanted[field])
      throw new JobError(
        "FOREIGN",
        `the task's terms say ${field} ${wanted[field]}, the job has ${own[field]}: no run can fulfil them; do not take this task`,
        { path, field, expected: wanted[field], found: own[field] },
      );
  return trace;
}
