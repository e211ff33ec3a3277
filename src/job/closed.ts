/**
 * A closed job (spec 6.6): everything a run depends on, and nothing that has to be executed to be read.
 *
 *     state_0      = init()   or a given checkpoint
 *     state_{i+1}  = step(state_i, dataset)
 *
 * The step graph's inputs are the state's entries, then the dataset's tensors; its outputs are the new state's entries.
 */
import { type Bytes, hex32, Writer } from "../encoding/bytes.ts";
import { type Digest, taggedHash } from "../encoding/hash.ts";
import { SPEC_VERSION, Tag } from "../encoding/tags.ts";
import {
  elementCount,
  formatType,
  type StateRoot,
  stateRoot,
  type Tensor,
  tensorRoot,
  type TensorRoot,
} from "../encoding/tensor.ts";
import { JobError, ValueError } from "../errors/index.ts";
import { graphRoot } from "../graph/codec.ts";
import { checkGraph, checkSameTypes, type Graph, type NamedType, outputTypes } from "../graph/graph.ts";
import { isCanonicalBits } from "../repops/numbers/vf32.ts";

export interface NamedTensor extends Tensor {
  name: string;
}

export type Init = { kind: "graph"; graph: Graph } | { kind: "checkpoint"; state: readonly NamedTensor[] };

/** A job with all that a run depends on: two graphs, the data, the number of steps. `jobId` binds it. */
export interface ClosedJob {
  name: string;
  /** At least 1. */
  steps: number;
  step: Graph;
  init: Init;
  dataset: readonly NamedTensor[];
  /** What a step works through, for the progress line: 1,024 tokens, 64 samples. */
  unit: { name: string; perStep: number };
}

export type JobId = Digest<"job">;

/** Entries of the state that only report: written by every step, read by none. */
export const METRIC_PREFIX = "metrics/";
/** How the dataset's tensors are named among the inputs of the step graph. */
export const DATA_PREFIX = "data/";

export function stateTypes(job: Pick<ClosedJob, "step">): NamedType[] {
  return outputTypes(job.step);
}

/** Parameters are the entries of the state that the optimizer does not keep for itself and that are no metrics. */
export function countParameters(job: Pick<ClosedJob, "step">): number {
  const own = stateTypes(job).filter(
    ({ name, dtype }) => dtype === "f32" && !name.startsWith("optimizer/") && !name.startsWith(METRIC_PREFIX),
  );
  return own.reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

export function checkSteps(steps: number): void {
  if (!Number.isInteger(steps) || steps < 1 || steps >= 2 ** 31)
    throw new JobError(`a job of ${steps} steps; at least 1 is needed, and a whole number`, { steps });
}

/** @throws {JobError | GraphError | ShapeError | ProgramError} when the parts do not fit together. */
export function checkJob(job: ClosedJob): void {
  checkGraphs(job, job.dataset.length);
  const state = stateTypes(job);
  checkSameTypes(job.dataset, job.step.inputs.slice(state.length), "the dataset and the step graph's inputs");
  for (const tensor of job.dataset) checkData(tensor);
  if (job.init.kind === "graph") return;
  checkSameTypes(job.init.state, state, "the initial checkpoint and the state");
  for (const tensor of job.init.state) checkData(tensor);
}

/** Checks what can be checked without the tensors. */
export function checkOutline(outline: JobOutline): void {
  checkGraphs(outline, outline.datasetRoots.length);
}

type Graphs = Pick<ClosedJob, "steps" | "step"> & { init: Init | JobOutline["init"] };

function checkGraphs({ steps, step, init }: Graphs, dataCount: number): void {
  checkSteps(steps);
  checkGraph(step);
  const state = stateTypes({ step });
  if (state.length === 0) throw new JobError("the step graph has no outputs, so there is no state to commit to");
  checkSameTypes(step.inputs.slice(0, state.length), state, "the step graph's inputs and its new state");
  if (step.inputs.length !== state.length + dataCount)
    throw new JobError(`the step graph takes ${step.inputs.length - state.length} tensors of data, the job has others`);
  if (init.kind === "checkpoint") return;
  checkGraph(init.graph);
  if (init.graph.inputs.length > 0) throw new JobError("the init graph has inputs; it must depend on nothing");
  checkSameTypes(outputTypes(init.graph), state, "the init graph's outputs and the state");
}

/** @throws {JobError | ValueError} when a tensor of the job has the wrong length, or holds what is not a vf32. */
function checkData(tensor: NamedTensor): void {
  if (tensor.data.length !== elementCount(tensor.shape))
    throw new JobError(`${tensor.name} is ${formatType(tensor)}, but has ${tensor.data.length} elements`);
  if (tensor.dtype === "i32") return;
  const words = new Uint32Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.length);
  const at = words.findIndex((bits) => !isCanonicalBits(bits));
  if (at >= 0)
    throw new ValueError(
      `${tensor.name}: element ${at} is ${hex32(words[at])}, which is not a vf32; import the data with importFloats`,
      { name: tensor.name, index: at },
    );
}

/** The hashes of a job's parts, from which its id is made: what a verdict has to carry to name the job. */
export interface JobParts {
  info: Bytes;
  step: Bytes;
  initKind: "graph" | "checkpoint";
  init: Bytes;
  dataset: Bytes;
  steps: number;
}

/** What stays of a job when its tensors are replaced by their roots. */
export interface JobOutline extends Pick<ClosedJob, "name" | "steps" | "step" | "unit"> {
  init: { kind: "graph"; graph: Graph } | { kind: "checkpoint"; root: StateRoot };
  datasetRoots: readonly TensorRoot[];
}

export function outlineOf(job: ClosedJob): JobOutline {
  const { name, steps, step, unit, init } = job;
  return {
    name,
    steps,
    step,
    unit,
    init: init.kind === "graph" ? init : { kind: "checkpoint", root: stateRoot(init.state.map(tensorRoot)) },
    datasetRoots: job.dataset.map(tensorRoot),
  };
}

export function partsOf(outline: JobOutline): JobParts {
  const { name, steps, step, unit, init, datasetRoots } = outline;
  return {
    info: new Writer().text(name).text(unit.name).u64(unit.perStep).finish(),
    step: graphRoot(step),
    initKind: init.kind,
    init: init.kind === "graph" ? graphRoot(init.graph) : init.root,
    dataset: stateRoot(datasetRoots),
    steps,
  };
}

function jobParts(job: ClosedJob): JobParts {
  return partsOf(outlineOf(job));
}

/** The id binds the rules and every part: change one bit of the job, and it is another job. */
export function jobIdOf(parts: JobParts): JobId {
  const head = new Writer()
    .u32(SPEC_VERSION)
    .u8(parts.initKind === "graph" ? 1 : 2)
    .u32(parts.steps)
    .blob(parts.info);
  return taggedHash(Tag.job, head.finish(), parts.step, parts.init, parts.dataset);
}

export function jobId(job: ClosedJob): JobId {
  return jobIdOf(jobParts(job));
}
