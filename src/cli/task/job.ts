/** The terms of a task that follow from its job, and the check that a trace belongs to that job. */
import { extname } from "node:path";
import type { Address } from "viem";
import { UsageError } from "../../errors/index.ts";
import { ClaimStore } from "../../claims/store.ts";
import { fromHex } from "../../encoding/bytes.ts";
import type { NamedType } from "../../graph/graph.ts";
import { type JobOutline, outlineOf, stateTypes } from "../../job/closed.ts";
import type { Overrides } from "../../job/options.ts";
import { purposeOf } from "../../referee/opened-party.ts";
import { expectTraceOf, type JobTerms, jobTermsOf } from "../../settlement/job-terms.ts";
import { openTrace } from "../../trace/folder.ts";
import { expectComplete, type Trace } from "../../trace/open.ts";
import { openJob } from "../open-job.ts";
import { commitCadence } from "../../trace/cadence.ts";
import type { RunRoot } from "../../trace/commitments.ts";

export interface NamedJob {
  name: string;
  terms: JobTerms;
  /** The entries of its state. */
  types: readonly NamedType[];
  outline: JobOutline;
}

/**
 * @param path a job module, a job file, or a trace
 * @param own the names of the command's options
 * @param commitEvery training steps in a segment; default: the trace's number, or what a run takes by itself
 * @throws {JobError | FormatError} when it can't be loaded
 */
export async function jobTerms(
  path: string,
  commitEvery: number | undefined,
  options: Overrides,
  own: readonly string[],
): Promise<NamedJob> {
  const manifest = extname(path) === ".trace" ? (await openTrace(path)).manifest : undefined;
  const [set] = Object.keys(options);
  if (manifest && set !== undefined)
    throw new UsageError(
      "CONFLICT",
      `${path} is a trace, whose options are fixed; omit --${set}, or name the job's module`,
    );
  const outline = manifest ? manifest.outline : outlineOf(await openJob(path, options, own));
  const terms = jobTermsOf(outline, commitEvery ?? manifest?.commitEvery ?? commitCadence(outline));
  return { name: outline.name, terms, types: stateTypes(outline), outline };
}

/**
 * A finished trace of the task's job.
 * @throws {FormatError} when the trace is cut off
 * @throws {JobError} when it belongs to another job, or has another number of steps in a segment
 */
export async function traceFor(path: string, wanted: JobTerms): Promise<Trace & { runRoot: RunRoot }> {
  const trace = expectComplete(await openTrace(path));
  expectTraceOf(trace, wanted);
  return trace;
}

/**
 * Records the run of a trace as the claim of an account. From now on its key signs what is said about the
 * run.
 */
export async function claimTrace(path: string, wanted: JobTerms, owner: Address): Promise<void> {
  const { runRoot, manifest } = await traceFor(path, wanted);
  await new ClaimStore().record(runRoot, purposeOf({ manifest }), fromHex(owner, 20));
}
