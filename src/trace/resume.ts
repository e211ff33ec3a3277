/** Whether an unfinished trace may be gone on with. */
import { bytesEqual } from "../encoding/bytes.ts";
import { JobError } from "../errors.ts";
import { formatFault } from "./fault.ts";
import type { Manifest, RunSettings } from "./manifest.ts";
import type { Trace } from "./open.ts";

/** @throws {JobError} naming the first thing that differs */
export function checkSameRun(trace: Trace, wanted: Manifest): void {
  const { manifest, path } = trace;
  const differs = (what: string, there: unknown, here: unknown): never => {
    throw new JobError(`${path} can't be resumed: its ${what} is ${there}, this run's is ${here}`, {
      what,
      there,
      here,
    });
  };
  if (!bytesEqual(manifest.jobId, wanted.jobId)) {
    for (const field of ["name", "steps"] as const)
      if (manifest.outline[field] !== wanted.outline[field])
        differs(field, manifest.outline[field], wanted.outline[field]);
    throw new JobError(`${path} can't be resumed: it is of another job; use the same module, options, data and seed`);
  }
  for (const field of ["commitEvery", "checkpointEvery", "detail", "backend"] as const)
    if (manifest[field] !== wanted[field]) differs(field, manifest[field], wanted[field]);
  const fault = (settings: RunSettings): string => (settings.fault ? formatFault(settings.fault) : "none");
  if (fault(manifest) !== fault(wanted)) differs("fault", fault(manifest), fault(wanted));
}
