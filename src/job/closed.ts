/**
 * A closed job (spec 6.6): everything that a run depends on. It is data: nothing has to be executed to read
 * it.
 *
 *     state_0      = init()   or init(dataset)   or a given checkpoint
 *     state_{i+1}  = step(state_i, dataset)
 *
 * The step graph's inputs are the state's entries, then the dataset's tensors; its outputs are the new
 * state's entries.
 */
import { type Bytes, Writer } from "../encoding/bytes.ts";
import { type Digest, taggedHash } from "../encoding/hash.ts";
import { datasetRoot } from "../encoding/lists.ts";
import { checkName } from "../encoding/name.ts";
import { SPEC_VERSION, Tag } from "../encoding/tags.ts";
import { type StateRoot, stateRoot, type Tensor, tensorRoot, type TensorRoot } from "../encoding/tensor.ts";
import { describe } from "../errors/arguments.ts";
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { Warning } from "../graph/warning.ts";
import { graphRoot } from "../graph/codec.ts";
import { checkGraph, checkSameTypes, type Graph, type NamedType, outputTypes } from "../graph/graph.ts";
import { checkTensor } from "../repops/numbers/tensors.ts";

/** A tensor of a dataset or of a state. */
export interface NamedTensor extends Tensor {
  /** `data/NAME` in a dataset; `blocks.0.mlp.in.weight` in a state. */
  name: string;
}

/**
 * The initial state: computed by a graph that takes none or all of the dataset's tensors, or given.
 */
export type Init = { kind: "graph"; graph: Graph } | { kind: "checkpoint"; state: readonly NamedTensor[] };

/** Everything that a run depends on. Two parties with equal closed jobs compute equal bits. */
export interface ClosedJob {
  /** The name in messages; the job's id binds it. */
  name: string;
  /** How many training steps are taken: 0 to 2^31 - 1. Without any, the run is its initial state. */
  steps: number;
  /** The graph of a training step: its inputs are the state, then the dataset; its outputs the new state. */
  step: Graph;
  /** The source of the initial state. */
  init: Init;
  /** The tensors of the dataset, in the order of the step graph's inputs. */
  dataset: readonly NamedTensor[];
  /**
   * The lengths of the lists that the dataset consists of. Absent: it is one list, as in every job that
   * reads no results of other jobs.
   */
  lists?: readonly number[];
  /** The amount of data of a training step, for the progress line: 1,024 tokens, 64 samples. */
  unit: { name: string; perStep: number };
  /** What may be a mistake in the loss. The job's id does not depend on it, and no file keeps it. */
  warnings?: readonly Warning[];
}

/** The 32 bytes that name a job (spec 6.6). */
export type JobId = Digest<"job">;

/**
 * The prefix of entries of the state that only report: each training step writes them, and none reads them.
 */
export const METRIC_PREFIX = "metrics/";
/** The prefix of averages of the weights. */
export const AVERAGE_PREFIX = "ema/";
/** The prefix of what an evaluation keeps between training steps. */
export const EVALUATION_PREFIX = "evaluation/";
/** The prefix of entries of the state that are the optimizer's own. */
export const OPTIMIZER_PREFIX = "optimizer/";
/** The entry with the seed of the job's random numbers: the first after the parameters. */
export const SEED_NAME = "rng/seed";
/** The prefix of the dataset's tensors among the inputs of the step graph. */
export const DATA_PREFIX = "data/";

export function stateTypes(job: Pick<ClosedJob, "step">): NamedType[] {
  return outputTypes(job.step);
}

function checkSteps(steps: number): void {
  if (!Number.isInteger(steps) || steps < 0 || steps >= 2 ** 31)
    throw new JobError("STEPS", `a job of ${steps} steps is not possible; take a whole number from 0 to 2^31 - 1`, {
      steps,
    });
}

/**
 * @throws {JobError | GraphError | ShapeError | ProgramError | FormatError} when the parts of the job do not
 * fit together, or a name breaks the rule of spec 5.5
 * @throws {ValueError} when an element of its tensors is not a vf32
 */
export function checkJob(job: ClosedJob): void {
  expectJob(job);
  checkParts(job, job.dataset.length, job.lists);
  const state = stateTypes(job);
  checkSameTypes(job.dataset, job.step.inputs.slice(state.length), "the dataset and the step graph's inputs");
  for (const tensor of job.dataset) checkTensor(tensor, quote(tensor.name));
  if (job.init.kind === "graph") return;
  checkSameTypes(job.init.state, state, "the initial checkpoint and the state");
  for (const tensor of job.init.state) checkTensor(tensor, quote(tensor.name));
}

/** @throws {JobError} when it does not have the parts that make a closed job */
function expectJob(job: unknown): void {
  const { dataset, init } = (job ?? {}) as Partial<ClosedJob>;
  const isJob =
    Array.isArray(dataset) &&
    (init?.kind === "graph" || (init?.kind === "checkpoint" && Array.isArray(init.state))) &&
    dataset.every((tensor: unknown) => typeof tensor === "object" && tensor !== null);
  if (isJob) return;
  throw new JobError(
    "SETTING",
    `${describe(job)} is no closed job; get one from the close() of a job, or from loadJob`,
  );
}

/** Checks what can be checked without the tensors. */
export function checkOutline(outline: JobOutline): void {
  checkParts(outline, outline.datasetRoots.length, outline.lists);
}

type Graphs = Pick<ClosedJob, "name" | "unit" | "steps" | "step"> & { init: Init | JobOutline["init"] };

/** @throws {JobError} when the lengths of a dataset's lists are no lengths, or not of all its tensors */
function checkLists(lists: readonly number[] | undefined, count: number): void {
  const isLength = (length: unknown): boolean => Number.isInteger(length) && (length as number) >= 0;
  const fits = lists?.every(isLength) && lists.reduce((sum, length) => sum + length, 0) === count;
  if (lists === undefined || fits) return;
  throw new JobError(
    "DATA",
    `the dataset has ${count} tensors, but its lists have ${quote(lists.join(" + "))}; give each its length`,
    {
      expected: count,
    },
  );
}

function checkParts({ name, unit, steps, step, init }: Graphs, dataCount: number, lists?: readonly number[]): void {
  checkName(name, "the name of a job");
  checkName(unit.name, "the name of a job's unit");
  checkSteps(steps);
  checkGraph(step);
  const state = stateTypes({ step });
  if (state.length === 0)
    throw new JobError(
      "STATE",
      "the step graph has no outputs, so there is no state to commit to; make a parameter or a state in the job",
    );
  checkSameTypes(step.inputs.slice(0, state.length), state, "the step graph's inputs and its new state");
  if (step.inputs.length !== state.length + dataCount)
    throw new JobError(
      "DATA",
      `the step graph takes ${step.inputs.length - state.length} tensors of data, but the job has ${dataCount}; give one for each`,
      { expected: dataCount, found: step.inputs.length - state.length },
    );
  checkLists(lists, dataCount);
  if (init.kind === "checkpoint") return;
  checkGraph(init.graph);
  const data = step.inputs.slice(state.length);
  const { length } = init.graph.inputs;
  if (length > 0 && length !== dataCount)
    throw new JobError(
      "INIT",
      `the init graph has ${length} inputs, but the dataset has ${dataCount} tensors; let it take all of them, or none`,
      { expected: dataCount, found: length },
    );
  if (length > 0) checkSameTypes(init.graph.inputs, data, "the init graph's inputs and the dataset");
  checkSameTypes(outputTypes(init.graph), state, "the init graph's outputs and the state");
}

/** The hashes of a job's parts, from which its id is made. A verdict carries them to name the job. */
export interface JobParts {
  /** The job's name, the name of its unit, and units for each training step, encoded. */
  info: Bytes;
  step: Bytes;
  initKind: "graph" | "checkpoint";
  init: Bytes;
  dataset: Bytes;
  /** The lengths of the dataset's lists, if it has several. Its root binds them. */
  lists?: readonly number[];
  steps: number;
}

/** A job with its tensors replaced by their roots. */
export interface JobOutline extends Pick<ClosedJob, "name" | "steps" | "step" | "unit" | "lists"> {
  init: { kind: "graph"; graph: Graph } | { kind: "checkpoint"; root: StateRoot };
  datasetRoots: readonly TensorRoot[];
}

export function outlineOf(job: ClosedJob): JobOutline {
  const { name, steps, step, unit, init, lists } = job;
  return {
    name,
    steps,
    step,
    unit,
    init: init.kind === "graph" ? init : { kind: "checkpoint", root: stateRoot(init.state.map(tensorRoot)) },
    datasetRoots: job.dataset.map(tensorRoot),
    ...(lists && { lists }),
  };
}

export function partsOf(outline: JobOutline): JobParts {
  const { name, steps, step, unit, init, datasetRoots, lists } = outline;
  return {
    info: new Writer().text(name).text(unit.name).u64(unit.perStep, "the amount of data of a training step").finish(),
    step: graphRoot(step),
    initKind: init.kind,
    init: init.kind === "graph" ? graphRoot(init.graph) : init.root,
    dataset: datasetRoot(datasetRoots, lists),
    ...(lists && { lists }),
    steps,
  };
}

/**
 * The id binds the version of the rules and every part of the job: a change of one bit gives another id.
 * @throws {JobError} when the number of training steps is out of range
 */
export function jobIdOf(parts: JobParts): JobId {
  checkSteps(parts.steps);
  const head = new Writer()
    .u32(SPEC_VERSION)
    .u8(parts.initKind === "graph" ? 1 : 2)
    .u32(parts.steps, "the number of training steps")
    .bytes(infoHashOf(parts));
  return taggedHash(Tag.job, head.finish(), parts.step, parts.init, parts.dataset);
}

/** The hash that stands for the names in the job's id, so that a contract need not be shown them. */
export function infoHashOf({ info }: Pick<JobParts, "info">): Digest<"info"> {
  return taggedHash(Tag.jobInfo, info);
}

/**
 * The id of a job (spec 6.6): it binds the graphs, the initial state, the dataset, the steps and the rules.
 */
export function jobId(job: ClosedJob): JobId {
  expectJob(job);
  return jobIdOf(partsOf(outlineOf(job)));
}
