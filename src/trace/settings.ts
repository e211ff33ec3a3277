/** The settings of a run, from its options and their defaults. */
import { UsageError } from "../errors/index.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { aboutTen, commitCadence, plannedCadence } from "./cadence.ts";
import type { RunSettings } from "./manifest.ts";
import type { RunOptions } from "./run.ts";

/** The settings of a run before its first step. */
export interface Planned extends Omit<RunSettings, "checkpointEvery"> {
  /** Absent where it follows from the time of the first step. */
  checkpointEvery?: number;
  /** What the user left to Verde. A run that is continued takes what its trace has. */
  auto: readonly ("commitEvery" | "checkpointEvery")[];
}

/** @throws {UsageError} for options that are out of range, or do not fit together */
export function settingsOf(job: ClosedJob, options: RunOptions, backend: Backend): Planned {
  const { detail = "steps", fault } = options;
  const given = { commitEvery: options.commitEvery ?? "auto", checkpointEvery: options.checkpointEvery ?? "auto" };
  const commitEvery = given.commitEvery === "auto" ? commitCadence(job) : given.commitEvery;
  if (!Number.isInteger(commitEvery) || commitEvery < 1 || commitEvery >= 2 ** 31)
    throw new UsageError("VALUE", `a root every ${commitEvery} steps is not possible; take 1 to 2^31 - 1`, {
      commitEvery,
    });
  // Without a trace there is no disk that could be too small.
  const planned = options.out === undefined ? aboutTen(job, commitEvery) : plannedCadence(job, commitEvery);
  const checkpointEvery = given.checkpointEvery === "auto" ? planned : given.checkpointEvery;
  if (checkpointEvery !== undefined) checkCheckpoints(checkpointEvery, commitEvery);
  const auto = (["commitEvery", "checkpointEvery"] as const).filter((name) => given[name] === "auto");
  const rest = { detail, backend: backend.name, auto, ...(fault && { fault }) };
  return { commitEvery, ...(checkpointEvery !== undefined && { checkpointEvery }), ...rest };
}

function checkCheckpoints(checkpointEvery: number, commitEvery: number): void {
  const wild = !Number.isInteger(checkpointEvery) || checkpointEvery < 0 || checkpointEvery >= 2 ** 31;
  if (wild || checkpointEvery % commitEvery !== 0)
    throw new UsageError(
      "VALUE",
      `a checkpoint every ${checkpointEvery} steps does not fit a root every ${commitEvery}; take a multiple below 2^31`,
      { checkpointEvery, commitEvery },
    );
}
