/**
 * A graph (spec 5): a checked list of operators with named inputs and outputs, and a label for each operator.
 */
import { formatType, sameShape, type TensorType } from "../encoding/tensor.ts";
import { GraphError } from "../errors/index.ts";
import { checkKernel, type Kernel, type KernelList } from "../repops/kernels/kernel.ts";

/** The type of a named tensor. */
export interface NamedType extends TensorType {
  /** Unique among the inputs, or among the outputs, of a graph. */
  name: string;
}

/** An output of a graph. */
export interface NamedOutput {
  /** Unique among the outputs. */
  name: string;
  /** The number of an input, or of an operator's output (inputs first). */
  tensor: number;
}

/**
 * A graph as it is executed, encoded and committed to. Tensors are numbered: inputs first, then the
 * operators' outputs.
 */
export interface Graph extends KernelList {
  readonly inputs: readonly NamedType[];
  /** The operators. Each reads only inputs and outputs of earlier operators. */
  readonly kernels: readonly Kernel[];
  /**
   * One for each operator: the path of its layer and what it computes, such as `blocks.0/attention/scores`.
   */
  readonly labels: readonly string[];
  readonly outputs: readonly NamedOutput[];
}

/** The largest number of operators in a graph. */
export const MAX_KERNELS = 2 ** 20;

/** Graphs that have passed `checkGraph`. Code outside of this file can't add one. */
const passed = new WeakSet<Graph>();

/**
 * Checks everything that an executor relies on. It is called wherever a graph is built, a graph is decoded,
 * or a job is put together. A graph that has passed is frozen, with its lists, and is not checked again. A
 * copy is another graph, and is checked. What lies deeper is not frozen, because that would cost more than
 * the checks; decoded bytes have no other owner.
 * @throws {GraphError | ShapeError | ProgramError} when a check fails; the message names the operator by
 * number and label
 */
export function checkGraph(graph: Graph): void {
  if (passed.has(graph)) return;
  const { inputs, kernels, labels, outputs } = graph;
  if (kernels.length > MAX_KERNELS)
    throw new GraphError(
      "TOO_LARGE",
      `a graph of ${kernels.length} operators; at most ${MAX_KERNELS} are allowed, so make the training step smaller`,
      { expected: `at most ${MAX_KERNELS}`, found: kernels.length },
    );
  if (labels.length !== kernels.length)
    throw new GraphError(
      "LABELS",
      `${labels.length} labels for ${kernels.length} operators; there has to be one for each`,
      { expected: kernels.length, found: labels.length },
    );
  for (const [what, list] of [
    ["input", inputs],
    ["output", outputs],
  ] as const) {
    const names = new Set<string>();
    const twice = list.find(({ name }) => names.size === names.add(name).size)?.name;
    if (twice !== undefined)
      throw new GraphError("DUPLICATE", `two ${what}s of the graph are called ${twice}; rename one of them`, {
        name: twice,
      });
  }
  const types: TensorType[] = [...inputs];
  kernels.forEach((kernel, i) => {
    checkKernel(kernel, types, `operator ${i} (${labels[i]})`);
    types.push(kernel.type);
  });
  for (const { name, tensor } of outputs)
    if (!types[tensor])
      throw new GraphError(
        "DANGLING",
        `output ${name} is tensor ${tensor}, which does not exist; there are ${types.length}`,
        { name, tensor },
      );
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

/** @throws {GraphError} when two lists of named tensors differ; the message names the first difference */
export function checkSameTypes(actual: readonly NamedType[], expected: readonly NamedType[], what: string): void {
  for (let i = 0; i < Math.max(actual.length, expected.length); i++) {
    const [a, b] = [actual[i], expected[i]];
    const same = a && b && a.name === b.name && a.dtype === b.dtype && sameShape(a.shape, b.shape);
    if (same) continue;
    const describe = (type: NamedType | undefined) => (type ? `${type.name} ${formatType(type)}` : "nothing");
    throw new GraphError("TYPES", `${what}: entry ${i} is ${describe(a)}, expected ${describe(b)}`, {
      expected: b,
      found: a,
    });
  }
}
