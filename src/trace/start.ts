/**
 * Starts a job from existing weights: its initial state is a checkpoint instead of the result of the init
 * graph.
 */
import { checkJob, type ClosedJob, type NamedTensor } from "../job/closed.ts";
import { openBackend } from "../certify/open-backend.ts";
import { readSafetensors } from "../formats/safetensors-file.ts";
import { applyWeights, asStored, matchWeights, type WeightOptions, type WeightReport } from "../formats/weights.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { DEFAULT } from "../repops/backends/index.ts";
import { Execution } from "./execution.ts";

/** How a job is started from weights. */
export interface StartOptions extends WeightOptions {
  /** Runs the init graph; `wasm`. It is certified first. */
  backend?: Backend | string;
}

/** A job that begins with given weights. */
export interface Started {
  /** Another job than before: its id binds the root of this initial state. */
  job: ClosedJob;
  /** What was taken, what was missing, and what was unexpected. */
  weights: WeightReport;
}

/**
 * The same job with the given entries of its initial state replaced. The init graph makes the other entries.
 *
 *     const { job, weights } = await startFrom(await loadJob("job.ts"), tensors, { partial: true });
 *
 * @param given tensors with the names of the state's entries, such as `blocks.0.attention.qkv.weight`
 * @throws {JobError} when shapes do not fit, or, without `partial`, when parameters are missing or tensors
 * are unexpected
 */
export async function startFrom(
  job: ClosedJob,
  given: readonly NamedTensor[],
  options: StartOptions = {},
): Promise<Started> {
  const weights = matchWeights(job, asStored(given), options);
  return { job: await begin(job, applyWeights(weights, given), options.backend), weights };
}

/**
 * As `startFrom`, with the tensors of a safetensors file. Only those that the job takes are read, after the
 * names and shapes of all have been compared with it.
 * @param options with `saturate`, magnitudes above 2^127 are accepted as ±2^127, infinities included
 * @throws {JobError} as `startFrom`; {FormatError} for a malformed file; {ValueError} for NaN and other
 * values that vf32 does not hold
 */
export async function startFromFile(
  job: ClosedJob,
  path: string,
  options: StartOptions & { saturate?: boolean } = {},
): Promise<Started> {
  let weights: WeightReport | undefined;
  const given = await readSafetensors(path, {
    saturate: options.saturate ?? false,
    choose: (tensors, metadata) => {
      weights = matchWeights(job, tensors, options, metadata);
      return new Set(weights.taken.map(({ from }) => from));
    },
  });
  return { job: await begin(job, applyWeights(weights!, given), options.backend), weights: weights! };
}

async function begin(
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
  const entries = new Map(state.map((entry) => [entry.name, entry]));
  for (const tensor of given) entries.get(tensor.name)!.data = tensor.data;
  const started: ClosedJob = { ...job, init: { kind: "checkpoint", state } };
  checkJob(started);
  return started;
}
