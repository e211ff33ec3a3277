/** A graph (spec 5): a checked list of kernels with named inputs and outputs, and a label for each kernel. */
import { formatType, sameShape, type TensorType } from "../encoding/tensor.ts";
import { GraphError } from "../errors/index.ts";
import { checkKernel, type Kernel, type KernelList } from "../repops/kernels/kernel.ts";

export interface NamedType extends TensorType {
  name: string;
}

export interface NamedOutput {
  name: string;
  /** Number of an input, or of a kernel's output (inputs first). */
  tensor: number;
}

export interface Graph extends KernelList {
  readonly inputs: readonly NamedType[];
  readonly kernels: readonly Kernel[];
  /** One a kernel: the layer path and what it computes, `blocks.0/attention/scores`. */
  readonly labels: readonly string[];
  readonly outputs: readonly NamedOutput[];
}

export const MAX_KERNELS = 2 ** 20;

/** Graphs that have passed `checkGraph`. Nobody outside of this file can add one. */
const passed = new WeakSet<Graph>();

/**
 * Checks everything an executor relies on. Every border calls it: where a graph is built, where one is decoded, where a job is put
 * together. A graph that has passed is frozen with its lists, and passes again without a look; a copy is another graph, and is
 * checked. What lies deeper is not frozen, which would cost more than the checks: decoded bytes have no other owner.
 * @throws {GraphError | ShapeError | ProgramError} naming the kernel by number and label
 */
export function checkGraph(graph: Graph): void {
  if (passed.has(graph)) return;
  const { inputs, kernels, labels, outputs } = graph;
  if (kernels.length > MAX_KERNELS)
    throw new GraphError(`a graph of ${kernels.length} kernels; at most ${MAX_KERNELS}`);
  if (labels.length !== kernels.length)
    throw new GraphError(`${labels.length} labels for ${kernels.length} kernels`, { labels: labels.length });
  for (const [what, list] of [
    ["input", inputs],
    ["output", outputs],
  ] as const) {
    const names = list.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) throw new GraphError(`two ${what}s of the graph are called ${twice}`, { name: twice });
  }
  const types: TensorType[] = [...inputs];
  kernels.forEach((kernel, i) => {
    checkKernel(kernel, types, `kernel ${i} (${labels[i]})`);
    types.push(kernel.type);
  });
  for (const { name, tensor } of outputs)
    if (!types[tensor])
      throw new GraphError(`output ${name} is tensor ${tensor}, which does not exist`, { name, tensor });
  for (const fixed of [inputs, kernels, labels, outputs, graph]) Object.freeze(fixed);
  passed.add(graph);
}

/** The types of the outputs, by name. */
export function outputTypes(graph: Graph): NamedType[] {
  return graph.outputs.map(({ name, tensor }) => {
    const { dtype, shape } =
      tensor < graph.inputs.length ? graph.inputs[tensor] : graph.kernels[tensor - graph.inputs.length].type;
    return { name, dtype, shape };
  });
}

/** @throws {GraphError} when two lists of named tensors differ, naming the first difference. */
export function checkSameTypes(actual: readonly NamedType[], expected: readonly NamedType[], what: string): void {
  for (let i = 0; i < Math.max(actual.length, expected.length); i++) {
    const [a, b] = [actual[i], expected[i]];
    const same = a && b && a.name === b.name && a.dtype === b.dtype && sameShape(a.shape, b.shape);
    if (same) continue;
    const describe = (type: NamedType | undefined) => (type ? `${type.name} ${formatType(type)}` : "nothing");
    throw new GraphError(`${what}: entry ${i} is ${describe(a)}, expected ${describe(b)}`, { actual: a, expected: b });
  }
}
