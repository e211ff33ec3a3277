/**
 * Starts a job from existing weights: its initial state is a checkpoint instead of the result of the init
 * graph.
 */
import { formatType, sameShape, type Tensor } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { checkJob, type ClosedJob, type NamedTensor } from "../job/closed.ts";
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
  const execution = await Execution.open(job, (await openBackend(backend)).backend);
  let state: NamedTensor[];
  try {
    await execution.initialise();
    state = await execution.state();
  } finally {
    await execution.close();
  }
  for (const tensor of given) {
    const entry = state.find(({ name }) => name === tensor.name);
    if (!entry)
      throw new JobError("CHECKPOINT", `the job's state has no ${tensor.name}; ${nearest(tensor.name, state)}`, {
        ...tensor,
      });
    if (entry.dtype !== tensor.dtype || !sameShape(entry.shape, tensor.shape))
      throw new JobError(
        "CHECKPOINT",
        `${tensor.name} is ${formatType(tensor)}, but in the job it is ${formatType(entry)}; convert it`,
        { expected: formatType(entry), found: formatType(tensor) },
      );
    entry.data = tensor.data as Tensor["data"];
  }
  const started: ClosedJob = { ...job, init: { kind: "checkpoint", state } };
  checkJob(started);
  return started;
}

function nearest(name: string, state: readonly NamedTensor[]): string {
  const last = name.split(".").at(-1)!;
  const alike = state.filter((entry) => entry.name.endsWith(last)).slice(0, 4);
  return `it has ${(alike.length > 0 ? alike : state.slice(0, 4)).map((entry) => entry.name).join(", ")}, and others`;
}
