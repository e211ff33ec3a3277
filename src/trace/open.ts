/** An opened trace: the file's records, checked against each other and against the job. */
import { bytesEqual, toHex } from "../encoding/bytes.ts";
import { elementCount, type StateRoot, stateRoot, tensorRoot } from "../encoding/tensor.ts";
import { FormatError } from "../errors/index.ts";
import { checkJob, type ClosedJob, METRIC_PREFIX, type NamedTensor, stateTypes } from "../job/closed.ts";
import { checkSameTypes } from "../graph/graph.ts";
import { isCommitted, type RunRoot, runRootOf } from "./commitments.ts";
import { readRecords, type TraceContent } from "./records.ts";
import { type ReadOptions, readTensors } from "../formats/safetensors.ts";
import { checkpointFile, dataFolder, DATASET_FILE, stepOfCheckpoint, type TraceSource } from "./source.ts";

/** A trace that was read and that is consistent in itself. */
export interface Trace extends TraceContent {
  source: TraceSource;
  /** The roots of the initial state and of the state after each segment, as far as the file goes. */
  segmentRoots: StateRoot[];
  /** Present when the run was finished and its end record is correct. */
  complete: boolean;
}

/**
 * The metrics that records carry, in their order: the entries `metrics/NAME` of the state that are one f32
 * number.
 */
export function metricsOf(job: Pick<ClosedJob, "step">): { name: string; entry: number }[] {
  return stateTypes(job).flatMap(({ name, dtype, shape }, entry) =>
    name.startsWith(METRIC_PREFIX) && dtype === "f32" && elementCount(shape) === 1
      ? [{ name: name.slice(METRIC_PREFIX.length), entry }]
      : [],
  );
}

export function metricNames(job: Pick<ClosedJob, "step">): string[] {
  return metricsOf(job).map(({ name }) => name);
}

/** @throws {FormatError} when the file is not a trace or contradicts itself; the message names the record */
export async function readTrace(source: TraceSource): Promise<Trace> {
  const { path } = source;
  const content = readRecords(await source.trace(), path);
  const { manifest, records, runRoot } = content;
  const { steps, step, init } = manifest.outline;
  const fail = (number: number, problem: string): never => {
    throw new FormatError(
      "INCONSISTENT",
      `${path}, record ${number} (step): ${problem}; one run did not write this file, so record it again`,
      {
        path,
      },
    );
  };
  const metrics = metricNames({ step }).length;
  for (const record of records) {
    const number = record.step + 1;
    if (record.step > steps) fail(number, `it is step ${record.step} of a run of ${steps} steps`);
    if (!record.root !== !isCommitted(record.step, steps, manifest.commitEvery))
      fail(number, "it has a root too many or too few");
    if (record.metrics.length !== metrics) fail(number, `it has ${record.metrics.length} metrics, not ${metrics}`);
    const kernels = record.step > 0 ? step.kernels.length : init.kind === "graph" ? init.graph.kernels.length : 0;
    if ((record.opRoots?.length ?? 0) !== (manifest.detail === "operators" ? kernels : 0))
      fail(number, "it has the roots of other operators");
  }
  const segmentRoots = records.flatMap(({ root }) => (root ? [root] : []));
  if (runRoot && (records.length !== steps + 1 || !bytesEqual(runRootFrom(content, segmentRoots), runRoot)))
    fail(records.length + 1, "the run root does not follow from the records before");
  return { ...content, source, segmentRoots, complete: runRoot !== undefined };
}

function runRootFrom({ manifest }: TraceContent, roots: readonly StateRoot[]): RunRoot {
  return runRootOf(manifest.jobId, manifest.commitEvery, roots);
}

/** @throws {FormatError} when the trace is a prefix of a run */
export function expectComplete(trace: Trace): Trace & { runRoot: RunRoot } {
  const { path, records, manifest, runRoot, tail } = trace;
  if (runRoot) return { ...trace, runRoot };
  const { steps } = manifest.outline;
  const last = records.length === 0 ? "the manifest" : `step ${records.length - 1} of ${steps}`;
  throw new FormatError(
    "TRUNCATED",
    `${path} is cut: after ${last} no whole record follows (byte ${tail.offset}); finish it with \`verde run … --resume\``,
    { path, record: records.length + 1, offset: tail.offset, steps, expected: steps + 1, found: records.length },
  );
}

/**
 * The closed job of a trace, with its data from the folder next to the trace.
 * @throws {FormatError} when a file is missing or is not what the trace commits to
 */
export async function loadClosedJob(trace: Trace): Promise<ClosedJob> {
  const { outline } = trace.manifest;
  const { name, steps, step, unit, init } = outline;
  const stateCount = step.outputs.length;
  const file = `${dataFolder(trace.path)}/${DATASET_FILE}`;
  const dataset = outline.datasetRoots.length > 0 ? await readDataFile(trace, DATASET_FILE) : [];
  checkSameTypes(dataset, step.inputs.slice(stateCount), `${file} and the job's dataset`);
  dataset.forEach((tensor, i) => {
    if (!bytesEqual(tensorRoot(tensor), outline.datasetRoots[i]))
      throw new FormatError(
        "ALTERED",
        `${file}, tensor ${tensor.name}: it is not the data that the job commits to; restore the file`,
        { file, expected: toHex(outline.datasetRoots[i]), found: toHex(tensorRoot(tensor)) },
      );
  });
  const job: ClosedJob = {
    name,
    steps,
    step,
    unit,
    dataset,
    init: init.kind === "graph" ? init : { kind: "checkpoint", state: await readCheckpoint(trace, 0) },
  };
  checkJob(job);
  return job;
}

/**
 * The state after a step, checked against the trace's root.
 * @throws {FormatError} when the file is missing, damaged, or of another run
 */
export async function readCheckpoint(trace: Trace, step: number): Promise<NamedTensor[]> {
  const name = checkpointFile(step);
  const file = `${dataFolder(trace.path)}/${name}`;
  // A drill may leave patterns in a state that are no vf32. The root decides whether they belong to the run.
  const state = await readDataFile(trace, name, { raw: true });
  checkSameTypes(state, stateTypes(trace.manifest.outline), `${file} and the job's state`);
  const root = trace.records[step]?.root;
  if (!root || !bytesEqual(stateRoot(state.map(tensorRoot)), root))
    throw new FormatError(
      "ALTERED",
      `${file} is not the state after step ${step} that ${trace.path} commits to; restore it` +
        (step > 0 || trace.manifest.outline.init.kind === "graph" ? ", or delete it to start from an earlier one" : ""),
      { file, step },
    );
  return state;
}

/** The steps, in order, whose checkpoint is on disk and whose root the trace has. */
export async function checkpointsOf(trace: Trace): Promise<number[]> {
  const names = await trace.source.names();
  return names
    .flatMap((name) => stepOfCheckpoint(name) ?? [])
    .filter((step) => trace.records[step]?.root)
    .sort((a, b) => a - b);
}

async function readDataFile(trace: Trace, name: string, options?: ReadOptions): Promise<NamedTensor[]> {
  const file = await trace.source.open(name);
  try {
    return await readTensors(file, `${dataFolder(trace.path)}/${name}`, options);
  } finally {
    await file.close();
  }
}
