/** A run that is held in memory, with faults where a test wants them; the computation goes on from the wrong values. */
import { type StateRoot, stateRoot, type Tensor, type TensorRoot, tensorRoot } from "../../src/encoding/tensor.ts";
import type { Graph } from "../../src/graph/graph.ts";
import { type ClosedJob, jobId, outlineOf } from "../../src/job/closed.ts";
import { executeOnce } from "../../src/repops/backends/backend.ts";
import { reference } from "../../src/repops/backends/reference.ts";
import { type KernelList, operandsOf, renumberOperands } from "../../src/repops/kernels/kernel.ts";
import type { Memory, StepRoots } from "../../src/referee/memory.ts";
import { type RunRoot, runRootOf } from "../../src/trace/commitments.ts";

/** One wrong element: of a kernel's output, or of an entry of the new state. */
export interface Fault {
  step: number;
  at: { kernel: number } | { entry: number };
  element: number;
  /** Which bits are flipped. */
  flip: number;
}

interface RememberedStep {
  tensors: Tensor[];
  state: Tensor[];
  roots: StepRoots;
}

export interface RememberedRun extends Memory {
  readonly segmentRoots: readonly StateRoot[];
  readonly runRoot: RunRoot;
  readonly steps: readonly RememberedStep[];
}

export async function rememberedRun(
  job: ClosedJob,
  commitEvery: number,
  faults: readonly Fault[] = [],
): Promise<RememberedRun> {
  const steps: RememberedStep[] = [];
  const first =
    job.init.kind === "graph"
      ? await execute(job.init.graph, job.init.graph.inputs.length > 0 ? job.dataset : [], faultsAt(faults, 0))
      : beginAt(job.init.state, faultsAt(faults, 0));
  steps.push(first);
  for (let step = 1; step <= job.steps; step++)
    steps.push(await execute(job.step, [...steps[step - 1].state, ...job.dataset], faultsAt(faults, step)));
  const stateRoots = steps.map(({ roots }) => roots.newStateRoot);
  const segmentRoots = stateRoots.filter((_, step) => step % commitEvery === 0 || step === job.steps);
  const outline = outlineOf(job);
  return {
    outline,
    dataset: job.dataset,
    commitEvery,
    segmentRoots,
    isDrill: faults.length > 0,
    steps,
    runRoot: runRootOf(jobId(job), commitEvery, segmentRoots),
    stepRoots: async (segment) => stateRoots.slice((segment - 1) * commitEvery + 1, segment * commitEvery + 1),
    detail: async (step) => steps[step].roots,
    capture: async (step, tensors) => new Map(tensors.map((tensor) => [tensor, steps[step].tensors[tensor]])),
    entryRoots: async (step) => steps[step].roots.newStateRoots,
  };
}

const faultsAt = (faults: readonly Fault[], step: number) => faults.filter((fault) => fault.step === step);

function beginAt(checkpoint: readonly Tensor[], faults: readonly Fault[]): RememberedStep {
  const state = checkpoint.map((tensor) => ({ ...tensor, data: tensor.data.slice() }));
  for (const { at, element, flip } of faults) if ("entry" in at) plant(state[at.entry], element, flip);
  return { tensors: [], state, roots: rootsOf([], state) };
}

async function execute(graph: Graph, inputs: readonly Tensor[], faults: readonly Fault[]): Promise<RememberedStep> {
  const tensors = [...inputs];
  for (const [i, kernel] of graph.kernels.entries()) {
    const reads = [...new Set(operandsOf(kernel))];
    const given = reads.map((tensor) => tensors[tensor]);
    const list: KernelList = { inputs: given, kernels: [renumberOperands(kernel, (tensor) => reads.indexOf(tensor))] };
    const [output] = await executeOnce(reference, list, given, [given.length]);
    for (const { at, element, flip } of faults) if ("kernel" in at && at.kernel === i) plant(output, element, flip);
    tensors.push(output);
  }
  const state = graph.outputs.map(({ tensor }) => ({ ...tensors[tensor], data: tensors[tensor].data.slice() }));
  for (const { at, element, flip } of faults) if ("entry" in at) plant(state[at.entry], element, flip);
  return { tensors, state, roots: rootsOf(tensors.slice(graph.inputs.length), state) };
}

function rootsOf(outputs: readonly Tensor[], state: readonly Tensor[]): StepRoots {
  const newStateRoots: TensorRoot[] = state.map(tensorRoot);
  return {
    kernelRoots: outputs.map(tensorRoot),
    newStateRoots,
    newStateRoot: stateRoot(newStateRoots) satisfies StateRoot,
  };
}

function plant(tensor: Tensor, element: number, flip: number): void {
  const view = new DataView(tensor.data.buffer, tensor.data.byteOffset);
  view.setUint32(4 * element, view.getUint32(4 * element, true) ^ flip, true);
}
