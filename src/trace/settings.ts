/** The settings of a run, from its options and their defaults. */
import { UsageError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import type { RunSettings } from "./manifest.ts";
import type { RunOptions } from "./run.ts";

/** @throws {UsageError} for options that are out of range, or do not fit together */
export function settingsOf(job: ClosedJob, options: RunOptions, backend: Backend): RunSettings {
  const { commitEvery = 1, detail = "steps", fault } = options;
  if (!Number.isInteger(commitEvery) || commitEvery < 1 || commitEvery >= 2 ** 31)
    throw new UsageError("VALUE", `a root every ${commitEvery} steps is not possible; take 1 to 2^31 - 1`, {
      commitEvery,
    });
  const checkpointEvery = options.checkpointEvery ?? commitEvery * Math.ceil(job.steps / 10 / commitEvery);
  const wild = !Number.isInteger(checkpointEvery) || checkpointEvery < 0 || checkpointEvery >= 2 ** 31;
  if (wild || checkpointEvery % commitEvery !== 0)
    throw new UsageError(
      "VALUE",
      `a checkpoint every ${checkpointEvery} steps does not fit a root every ${commitEvery}; take a multiple below 2^31`,
      { checkpointEvery, commitEvery },
    );
  return { commitEvery, checkpointEvery, detail, backend: backend.name, ...(fault && { fault }) };
}
