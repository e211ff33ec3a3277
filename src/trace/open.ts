/** What the files of a trace hold: its job, its dataset and its checkpoints, checked against the trace. */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { type StateRoot, stateRoot, type Tensor, tensorRoot } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { mostHeaderBytes, type ReadOptions, readTensors } from "../formats/safetensors.ts";
import { checkSameTypes, type NamedType } from "../graph/graph.ts";
import { checkJob, type ClosedJob, type NamedTensor, stateTypes } from "../job/closed.ts";
import { isCheckpoint, type RunRoot } from "./commitments.ts";
import type { AnyExecution } from "./execution.ts";
import { checkFits } from "./fits.ts";
import { checkpointFile, dataFolder, DATASET_FILE, stepOfCheckpoint, stepOfStopped, stoppedFile } from "./source.ts";
import type { Trace } from "./trace.ts";

export { readTrace, type Scanned, scanTrace } from "./scan.ts";
export type { Trace } from "./trace.ts";

/** @throws {FormatError} when the trace is a prefix of a run */
export function expectComplete(trace: Trace): Trace & { runRoot: RunRoot } {
  if (isComplete(trace)) return trace;
  const { path, recorded, manifest, tail, writer } = trace;
  const { steps } = manifest.outline;
  const last = recorded === 0 ? "the manifest" : `step ${recorded - 1} of ${steps}`;
  if (writer !== undefined)
    throw new FormatError("TRUNCATED", `${path} is not finished: ${writer} is writing it, and has come to ${last}; wait until it ends`, { path, steps, found: recorded }); // prettier-ignore
  throw new FormatError(
    "TRUNCATED",
    `${path} is cut: after ${last} no whole record follows (byte ${tail.offset}); finish it with \`verde run … --resume\``,
    { path, record: recorded + 1, offset: tail.offset, steps, expected: steps + 1, found: recorded },
  );
}

function isComplete(trace: Trace): trace is Trace & { runRoot: RunRoot } {
  return trace.complete;
}

/**
 * The closed job of a trace, with its data from the folder next to the trace.
 * @throws {FormatError | GraphError} when a file is missing or is not what the trace commits to
 * @throws {JobError} when the job is larger than this machine; then no file of it is read
 */
export async function loadClosedJob(trace: Trace): Promise<ClosedJob> {
  const { outline } = trace.manifest;
  checkFits(outline);
  const { name, steps, step, unit, init, lists } = outline;
  const dataset = await readDataset(trace);
  const job: ClosedJob = {
    name,
    steps,
    step,
    unit,
    dataset,
    ...(lists && { lists }),
    init: init.kind === "graph" ? init : { kind: "checkpoint", state: await readCheckpoint(trace, 0) },
  };
  checkJob(job);
  return job;
}

/**
 * The dataset, checked against the roots in the trace's job.
 * @throws {FormatError | GraphError} when the file is missing, damaged, or of another job
 */
export async function readDataset(trace: Trace): Promise<NamedTensor[]> {
  const { step, datasetRoots } = trace.manifest.outline;
  const file = `${dataFolder(trace.path)}/${DATASET_FILE}`;
  const types = step.inputs.slice(step.outputs.length);
  const dataset =
    types.length > 0
      ? await readDataFile(trace, DATASET_FILE, { name: "the job's dataset", types }, { map: true })
      : [];
  dataset.forEach((tensor, i) => {
    if (!bytesEqual(tensorRoot(tensor), datasetRoots[i]))
      throw new FormatError(
        "ALTERED",
        `${file}, tensor ${tensor.name}: it is not the data that the job commits to; restore the file`,
        { file, expected: toHex(datasetRoots[i]), found: toHex(tensorRoot(tensor)) },
      );
  });
  return dataset;
}

/** Hashes the state after a step. */
export type RootOf = (step: number, state: readonly Tensor[]) => Promise<StateRoot>;

const rootHere: RootOf = async (_, state) => stateRoot(state.map(tensorRoot));

/**
 * The state after a step, checked against the trace's root.
 * @param rootOf hashes the state; a backend does that faster than it is done here
 * @throws {FormatError | GraphError} when the file is missing, damaged, or of another run
 */
export async function readCheckpoint(trace: Trace, step: number, rootOf: RootOf = rootHere): Promise<NamedTensor[]> {
  const state = await readUnchecked(trace, step);
  await checkCheckpoint(trace, step, await rootOf(step, state));
  return state;
}

/**
 * Puts an execution at a checkpoint. Its backend hashes the state, which is faster than hashing it here.
 * @throws {FormatError | GraphError} when the file is missing, damaged, or of another run
 */
export async function restoreCheckpoint(
  execution: Pick<AnyExecution, "restore" | "stateRoot">,
  trace: Trace,
  step: number,
): Promise<void> {
  await execution.restore(step, await readUnchecked(trace, step));
  try {
    await checkCheckpoint(trace, step, await execution.stateRoot());
  } catch (error) {
    // Nothing may continue from this state.
    await execution.restore(-1, []);
    throw error;
  }
}

async function readUnchecked(trace: Trace, step: number): Promise<NamedTensor[]> {
  // A drill may leave patterns in a state that are no vf32. The root decides whether they belong to the run.
  const types = stateTypes(trace.manifest.outline);
  return readDataFile(trace, checkpointFile(step), { name: "the job's state", types }, { raw: true });
}

async function checkCheckpoint(trace: Trace, step: number, found: StateRoot): Promise<void> {
  const file = `${dataFolder(trace.path)}/${checkpointFile(step)}`;
  const root = await trace.rootOf(step);
  if (!root || !bytesEqual(found, root))
    throw new FormatError(
      "ALTERED",
      `${file} is not the state after step ${step} that ${trace.path} commits to; restore it` +
        (step > 0 || trace.manifest.outline.init.kind === "graph" ? ", or delete it to start from an earlier one" : ""),
      { file, step },
    );
}

/** The checkpoints of the run, by their steps in order, that are on disk and whose root the trace has. */
export async function checkpointsOf(trace: Trace): Promise<number[]> {
  const { outline, checkpointEvery } = trace.manifest;
  const names = await trace.source.names();
  // Other files in the folder are not the run's, whatever their names.
  return names
    .flatMap((name) => stepOfCheckpoint(name) ?? [])
    .filter((step) => isCheckpoint(step, outline.steps, checkpointEvery) && trace.hasRoot(step))
    .sort((a, b) => a - b);
}

/** The states that were kept when the run was stopped. */
export async function stopsOf(
  trace: Trace,
  rootOf: RootOf = rootHere,
): Promise<{ step: number; name: string; read(): Promise<NamedTensor[]> }[]> {
  const names = await trace.source.names();
  return names.flatMap((name) => {
    const step = stepOfStopped(name);
    const known = step !== undefined && step < trace.recorded;
    return known ? [{ step, name, read: () => readStopped(trace, name, step, rootOf) }] : [];
  });
}

async function readStopped(trace: Trace, name: string, step: number, rootOf: RootOf): Promise<NamedTensor[]> {
  const types = stateTypes(trace.manifest.outline);
  const state = await readDataFile(trace, name, { name: "the job's state", types }, { raw: true });
  if (stoppedFile(step, await trace.tailOf(step), await rootOf(step, state)) === name) return state;
  const file = `${dataFolder(trace.path)}/${name}`;
  throw new FormatError("ALTERED", `${file} is not the state after step ${step} of ${trace.path}; delete it`, {
    file,
    step,
  });
}

/** @param expected what the file has to hold: it is compared before any tensor is read */
async function readDataFile(
  trace: Trace,
  name: string,
  expected: { name: string; types: readonly NamedType[] },
  options?: ReadOptions,
): Promise<NamedTensor[]> {
  const path = `${dataFolder(trace.path)}/${name}`;
  const file = await trace.source.open(name);
  try {
    return await readTensors(file, path, {
      ...options,
      maxHeader: mostHeaderBytes(expected.types),
      check: (types) => checkSameTypes(types, expected.types, `${path} and ${expected.name}`),
    });
  } finally {
    await file.close();
  }
}
