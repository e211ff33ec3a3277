/**
 * Replays the disputed segment of a ruling (spec 7.7): whoever has the state before it, from any trace,
 * learns which of the two claims about the state after it is wrong, and needs nobody's word for that.
 */
import { openBackend } from "../certify/open-backend.ts";
import { type Bytes, bytesEqual } from "../encoding/bytes.ts";
import { itemAt, type LongList, LongTree } from "../encoding/long-tree.ts";
import { type Proof, proofSteps } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import type { StateRoot } from "../encoding/tensor.ts";
import { DisputeError } from "../errors/index.ts";
import { type Side, SIDES } from "../game/level.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { segmentCount, stepsOfSegment } from "../trace/commitments.ts";
import { Execution } from "../trace/execution.ts";
import { loadClosedJob, type Trace } from "../trace/open.ts";
import { goBefore } from "../trace/reexecute.ts";
import type { CheckedRuling, DisputedSegment } from "./check-ruling.ts";

/** What a replay shows. */
export interface Replayed {
  /** The sides whose claims about the state after the segment are wrong: one, or both. */
  losers: Side[];
  /** The root of the state after the segment. */
  recomputed: StateRoot;
  /** The training steps that were executed. */
  steps: number;
}

/**
 * @param trace any trace of the job that agrees with both claims up to the segment: its checkpoints and
 *   dataset are used, and checked
 * @param backend executes; it is certified first
 * @throws {DisputeError} when the trace is of another job, or does not lead to the segment
 * @throws {FormatError} when its files can't be used
 */
export async function replayRuling(
  ruling: Pick<CheckedRuling, "segment" | "job" | "commitEvery">,
  trace: Trace,
  backend: Backend | string = DEFAULT,
): Promise<Replayed> {
  const { segment } = ruling;
  if (!segment) throw unfit("the ruling does not say after which segment the runs differ, so nothing can be replayed");
  const { jobId, commitEvery, outline } = trace.manifest;
  if (!bytesEqual(jobId, ruling.job)) throw unfit(`${trace.path} is a run of another job than the ruling's`);
  if (commitEvery !== ruling.commitEvery)
    throw unfit(
      `${trace.path} commits every ${commitEvery} training steps, and the claims every ${ruling.commitEvery}`,
    );
  if (trace.segmentRoots.length < Math.max(segment.index, 1))
    throw unfit(`${trace.path} ends before the disputed segment ${segment.index}`);
  await checkAgreed(segment, trace, segmentCount(outline.steps, commitEvery));
  const job = await loadClosedJob(trace);
  const { first, last } = stepsOfSegment(segment.index, outline.steps, commitEvery);
  const execution = await Execution.open(job, (await openBackend(backend)).backend);
  try {
    let steps = 0;
    const advance = async (): Promise<void> => {
      await (execution.at < 0 ? execution.initialise() : execution.advance());
      steps++;
    };
    await goBefore(execution, trace, first);
    while (execution.at < first - 1) await advance();
    const before = segment.index > 0 && (await itemAt(trace.segmentRoots, segment.index - 1));
    if (before && !bytesEqual(await execution.stateRoot(), before))
      throw unfit(`${trace.path} does not lead to the state before the disputed segment, on which both sides agree`);
    while (execution.at < last) await advance();
    // A job that starts from a checkpoint states its root. No file beside a trace can change it.
    const { init } = outline;
    const given = segment.index === 0 && init.kind === "checkpoint";
    const recomputed = given ? init.root : await execution.stateRoot();
    return { losers: SIDES.filter((side) => !bytesEqual(segment.leaves[side], recomputed)), recomputed, steps };
  } finally {
    await execution.close();
  }
}

/**
 * Checks that both claims have the trace's roots before the segment: the left siblings of the two proofs
 * follow from these roots alone, whatever the leaves after them are.
 */
async function checkAgreed({ index, proofs }: DisputedSegment, trace: Trace, count: number): Promise<void> {
  const roots: LongList<Bytes> = {
    length: count,
    slice: async (from, to) => {
      const known = await trace.segmentRoots.slice(from, Math.max(Math.min(to, index), from));
      return [...known, ...Array.from({ length: to - from - known.length }, () => new Uint8Array(32))];
    },
  };
  const tree = await LongTree.over(roots, Tag.segmentLeaf);
  const agreed = leftSiblings(count, index, await tree.prove(index));
  for (const proof of proofs)
    if (!leftSiblings(count, index, proof).every((sibling, i) => bytesEqual(sibling, agreed[i])))
      throw unfit(`${trace.path} has other roots than both claims have before the disputed segment`);
}

function leftSiblings(count: number, index: number, proof: Proof): Bytes[] {
  const steps = proofSteps(count, index, proof);
  if (!steps) throw unfit("the ruling's proofs are not of this run's tree");
  return steps.filter(({ side }) => side === "left").map(({ sibling }) => sibling);
}

function unfit(problem: string): DisputeError {
  return new DisputeError("REPLAY", `${problem}; name a trace of this job that agrees with both claims until then`);
}
