/** Whether two traces can be disputed: only runs of one job with the same commitments can. */
import { bytesEqual } from "../encoding/bytes.ts";
import { DisputeError } from "../errors/index.ts";
import { differingParts } from "../job/difference.ts";
import type { FinishedTrace } from "./trace-memory.ts";

/** What is compared of a trace. */
type Comparable = Pick<FinishedTrace, "path" | "manifest">;

/** @throws {DisputeError} that names the part that differs */
export function checkComparable(a: Comparable, b: Comparable): void {
  if (!bytesEqual(a.manifest.jobId, b.manifest.jobId)) {
    const [part] = differingParts(a.manifest.outline, b.manifest.outline);
    throw new DisputeError(
      "JOB",
      `${a.path} and ${b.path} are runs of different jobs (${part}); a dispute is about one job, so run one of them again with the same module, options, data and seed`,
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
