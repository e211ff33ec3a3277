/** Whether two traces can be disputed: only runs of one job with the same commitments can. */
import { bytesEqual } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { graphRoot } from "../graph/codec.ts";
import type { JobOutline } from "../job/closed.ts";
import type { FinishedTrace } from "./trace-memory.ts";

/** What is compared of a trace. */
type Comparable = Pick<FinishedTrace, "path" | "manifest">;

/** @throws {DisputeError} that names the part that differs */
export function checkComparable(a: Comparable, b: Comparable): void {
  if (!bytesEqual(a.manifest.jobId, b.manifest.jobId)) {
    const part = differentPart(a.manifest.outline, b.manifest.outline);
    throw new DisputeError(
      "JOB",
      `${a.path} and ${b.path} are runs of different jobs: ${part}; a dispute is about one job, so run one of them again with the same module, options, data and seed`,
      { part },
    );
  }
  const [every, other] = [a.manifest.commitEvery, b.manifest.commitEvery];
  if (every !== other)
    throw new DisputeError(
      "INTERVAL",
      `${a.path} commits every ${every} training steps, but ${b.path} every ${other}; run one of them again with the other's --commit-every`,
      { commitEvery: [every, other] },
    );
}

function differentPart(a: JobOutline, b: JobOutline): string {
  if (a.name !== b.name) return `one is named ${a.name}, the other ${b.name}`;
  if (a.steps !== b.steps) return `one has ${a.steps} steps, the other ${b.steps}`;
  const data = a.datasetRoots.findIndex((root, i) => !b.datasetRoots[i] || !bytesEqual(root, b.datasetRoots[i]));
  if (!bytesEqual(graphRoot(a.step), graphRoot(b.step)))
    return "their step graphs differ (model, optimizer or options)";
  if (data >= 0) return `the dataset's tensor ${a.step.inputs[a.step.outputs.length + data].name} differs`;
  return isSameInit(a, b) ? "their units differ" : "they start from different initial states (seed or checkpoint)";
}

function isSameInit({ init: a }: JobOutline, { init: b }: JobOutline): boolean {
  if (a.kind === "graph") return b.kind === "graph" && bytesEqual(graphRoot(a.graph), graphRoot(b.graph));
  return b.kind === "checkpoint" && bytesEqual(a.root, b.root);
}
