/**
 * Starts a job from existing weights: its initial state is a checkpoint instead of the result of the init
 * graph.
 */
import { formatType, sameShape } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import type { NamedType } from "../graph/graph.ts";
import { checkJob, type ClosedJob, type NamedTensor, stateTypes } from "../job/closed.ts";
import { openBackend } from "../certify/open-backend.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { Execution } from "./execution.ts";

/**
 * The same job with the given entries of its initial state replaced. The init graph makes the other entries.
 * The result is another job, whose id binds the root of this state.
 * @param given tensors with the names of the state's entries, such as `blocks.0.attention.qkv.weight`
 * @param backend the backend that runs the init graph; it is certified first
 * @throws {JobError} for a name or shape that the state does not have
 */
export async function startFrom(
  job: ClosedJob,
  given: readonly NamedTensor[],
  backend: Backend | string = DEFAULT,
): Promise<ClosedJob> {
  checkGiven(job, given);
  const execution = await Execution.open(job, (await openBackend(backend)).backend);
  let state: NamedTensor[];
  try {
    await execution.initialise();
    state = await execution.state();
  } finally {
    await execution.close();
  }
  const entries = new Map(state.map((entry) => [entry.name, entry]));
  for (const tensor of given) entries.get(tensor.name)!.data = tensor.data;
  const started: ClosedJob = { ...job, init: { kind: "checkpoint", state } };
  checkJob(started);
  return started;
}

/**
 * Whether tensors of these names and types can begin a job. A file is refused so before its content is read.
 * @throws {JobError} for a name or shape that the state does not have
 */
export function checkGiven(job: ClosedJob, given: readonly NamedType[]): void {
  const state = stateTypes(job);
  const entries = new Map(state.map((entry) => [entry.name, entry]));
  for (const { name, dtype, shape } of given) {
    const entry = entries.get(name);
    if (!entry) throw new JobError("CHECKPOINT", `the job's state has no ${name}; ${nearest(name, state)}`, { name });
    if (entry.dtype !== dtype || !sameShape(entry.shape, shape))
      throw new JobError(
        "CHECKPOINT",
        `${name} is ${formatType({ dtype, shape })}, but in the job it is ${formatType(entry)}; convert it`,
        { expected: formatType(entry), found: formatType({ dtype, shape }) },
      );
  }
}

function nearest(name: string, state: readonly NamedType[]): string {
  const last = name.split(".").at(-1)!;
  const alike = state.filter((entry) => entry.name.endsWith(last)).slice(0, 4);
  return `it has ${(alike.length > 0 ? alike : state.slice(0, 4)).map((entry) => entry.name).join(", ")}, and others`;
}
