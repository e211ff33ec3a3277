/** Whether a job fits this machine, from its graphs alone: before anything of its size is allocated. */
import { isNode, os } from "../encoding/node.ts";
import { byteLength, type TensorType } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { ClosedJob, Init, JobOutline } from "../job/closed.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { reference } from "../repops/backends/reference.ts";
import { operandsOf, typeOf } from "../repops/kernels/kernel.ts";
import { endings, lastingTensors, lifetimesOf } from "../repops/schedule/lifetimes.ts";

/** The least memory that a job needs on any backend, in bytes. */
export interface Needs {
  /** The entries of the state before a step. */
  state: number;
  dataset: number;
  /** The outputs of operators that are in memory at the same time, the new state included. */
  outputs: number;
}

type Graphs = Pick<ClosedJob, "name" | "step"> & { init: Init | JobOutline["init"] };

/** @param keepAll whether the backend keeps the outputs of all operators */
export function needsOf({ step, init }: Omit<Graphs, "name">, keepAll = false): Needs {
  const entries = step.outputs.length;
  const outputs = [step, ...(init.kind === "graph" ? [init.graph] : [])].map((graph) =>
    keepAll ? bytesOf(graph.kernels.map(({ type }) => type)) : peakOf(graph),
  );
  return {
    state: bytesOf(step.inputs.slice(0, entries)),
    dataset: bytesOf(step.inputs.slice(entries)),
    outputs: Math.max(...outputs),
  };
}

function bytesOf(types: readonly TensorType[]): number {
  return types.reduce((sum, type) => sum + byteLength(type), 0);
}

/** The most bytes of outputs that are needed at one time, if each is freed after its last reader. */
function peakOf(graph: Graph): number {
  const { inputs, kernels } = graph;
  const accesses = kernels.map((kernel, i) => ({ reads: operandsOf(kernel), writes: [inputs.length + i] }));
  const kept = graph.outputs.map(({ tensor }) => tensor);
  const ended = endings(lifetimesOf(graph, accesses, lastingTensors(graph, kept)), kernels.length);
  const bytes = (tensor: number): number => byteLength(typeOf(graph, tensor));
  let [now, most] = [0, 0];
  for (const [i, { writes }] of accesses.entries()) {
    for (const tensor of writes) now += bytes(tensor);
    most = Math.max(most, now);
    for (const tensor of ended[i]) now -= bytes(tensor);
  }
  return most;
}

/** The memory of this machine that a process may use, in bytes; `undefined` where that is not known. */
function memoryHere(): number | undefined {
  if (!isNode) return undefined;
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(os.totalmem(), limit) : os.totalmem();
}

/**
 * Whether a backend has memory enough of its own is the backend's to say, when it prepares the graph.
 * @param backend the backend that runs the job, if it is known
 * @param memory in bytes; default: what this machine has
 * @throws {JobError} when the job needs more memory than this machine has; the message has the figures
 */
export function checkFits(job: Graphs, backend?: Backend, memory = memoryHere()): void {
  if (memory === undefined) return;
  const { state, dataset, outputs } = needsOf(job, backend === reference);
  const total = state + dataset + outputs;
  if (total <= memory) return;
  const size = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new JobError(
    "TOO_LARGE",
    `the job ${job.name} does not fit this machine: it needs ${size(total)} (${size(state)} for its state, ${size(dataset)} for its dataset, ` +
      `${size(outputs)} for the outputs of its operators), and there are ${size(memory)}; use a machine with more memory, or a smaller job`,
    { expected: total, found: memory, state, dataset, outputs },
  );
}
