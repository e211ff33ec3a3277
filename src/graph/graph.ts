/**
 * A graph (spec 5): a checked list of operators with named inputs and outputs, and a label for each operator.
 */
import { checkName } from "../encoding/name.ts";
import { checkShape, formatType, sameShape, type TensorType } from "../encoding/tensor.ts";
import { describe } from "../errors/arguments.ts";
import { GraphError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { checkKernel, checkKernelAfter, type Kernel, type KernelList } from "../repops/kernels/kernel.ts";

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
/** The largest number of inputs: the tensors of the state and of the dataset. */
export const MAX_INPUTS = 2 ** 21;
/** The largest number of outputs: the tensors of the state. */
export const MAX_OUTPUTS = 2 ** 20;

/** What is known about a graph without its operators. */
export interface GraphHeader {
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedOutput[];
  readonly kernelCount: number;
}

/**
 * Checks all that the header of a graph says, in a time that grows with its length.
 * @throws {GraphError | ShapeError | FormatError} for too many operators, a name that is there twice or that
 * names don't look like (spec 5.5), an input that is no tensor, or an output that does not exist
 */
export function checkHeader({ inputs, outputs, kernelCount }: GraphHeader): void {
  checkCount("operators", kernelCount, MAX_KERNELS, "make the training step smaller");
  checkCount("inputs", inputs.length, MAX_INPUTS, "join parameters, or tensors of the dataset");
  checkCount("outputs", outputs.length, MAX_OUTPUTS, "join parameters");
  checkNames(inputs, "input");
  checkNames(outputs, "output");
  for (const { name, shape } of inputs) checkShape(shape, `input ${quote(name)}`);
  const count = inputs.length + kernelCount;
  for (const { name, tensor } of outputs)
    if (!Number.isInteger(tensor) || tensor < 0 || tensor >= count)
      throw new GraphError(
        "DANGLING",
        `output ${quote(name)} is tensor ${tensor}, which does not exist; there are ${count}`,
        { name, tensor },
      );
}

/** @throws {GraphError} TOO_LARGE */
function checkCount(what: string, found: number, most: number, remedy: string): void {
  if (Number.isInteger(found) && found >= 0 && found <= most) return;
  throw new GraphError("TOO_LARGE", `a graph of ${found} ${what}; at most ${most} are allowed, so ${remedy}`, {
    expected: `at most ${most}`,
    found,
  });
}

function checkNames(list: readonly { readonly name: string }[], what: string): void {
  const names = new Set<string>();
  for (const { name } of list) {
    checkName(name, `the name of an ${what}`);
    if (names.has(name))
      throw new GraphError("DUPLICATE", `two ${what}s of the graph are called ${quote(name)}; rename one of them`, {
        name,
      });
    names.add(name);
  }
}

/**
 * Checks one operator that is shown without the others, with the checks that it passes in a whole graph
 * (`checkGraph`). The types of inputs are known from the header. The type of an earlier operator's output is
 * known if it is given; if not, what depends on it is not checked.
 * @param header the result of `decodeHeader`, or another one that has passed `checkHeader`
 * @param index the operator's number
 * @param outputs the types of earlier operators' outputs that are known, by the number of the tensor
 * @throws {GraphError} when there is no such operator
 * @throws {ShapeError | ProgramError} when a check fails; the message names the operator by its number
 */
export function checkShownKernel(
  header: GraphHeader,
  index: number,
  kernel: Kernel,
  outputs: ReadonlyMap<number, TensorType> = new Map(),
): void {
  const { inputs, kernelCount } = header;
  if (!Number.isInteger(index) || index < 0 || index >= kernelCount)
    throw new GraphError("DANGLING", `operator ${index} does not exist; the graph has ${kernelCount}`, { index });
  const count = inputs.length + index;
  const typeOf = (tensor: number) => inputs[tensor] ?? outputs.get(tensor);
  checkKernelAfter(kernel, { count, typeOf }, `operator ${index}`);
}

/** @throws {FormatError} when a label breaks the rule of spec 5.5 */
export function checkLabel(label: string, index: number): void {
  checkName(label, `the label of operator ${index}`);
}

/** Graphs that have passed `checkGraph`. Code outside of this file can't add one. */
const passed = new WeakSet<Graph>();

/**
 * Checks everything that an executor relies on. It is called wherever a graph is built, a graph is decoded,
 * or a job is put together. A graph that has passed is frozen, with all that is in it, and is not checked
 * again. A copy is another graph, and is checked.
 * @throws {GraphError | ShapeError | ProgramError | FormatError} when a check fails; the message names the
 * operator by number and label
 */
export function checkGraph(graph: Graph): void {
  if (passed.has(graph)) return;
  expectGraph(graph);
  const { inputs, kernels, labels, outputs } = graph;
  checkHeader({ inputs, outputs, kernelCount: kernels.length });
  if (labels.length !== kernels.length)
    throw new GraphError(
      "LABELS",
      `${labels.length} labels for ${kernels.length} operators; there has to be one for each`,
      { expected: kernels.length, found: labels.length },
    );
  const types: TensorType[] = [...inputs];
  kernels.forEach((kernel, i) => {
    checkLabel(labels[i], i);
    checkKernel(kernel, types, `operator ${i} (${quote(labels[i])})`);
    types.push(kernel.type);
  });
  for (const type of inputs) Object.freeze(Object.freeze(type).shape);
  for (const kernel of kernels) freezeKernel(kernel);
  for (const output of outputs) Object.freeze(output);
  for (const fixed of [inputs, kernels, labels, outputs, graph]) Object.freeze(fixed);
  passed.add(graph);
}

/** @throws {GraphError} when it does not even have the lists that make a graph */
export function expectGraph(graph: unknown): asserts graph is Graph {
  const lists = ["inputs", "kernels", "labels", "outputs"];
  const parts = (graph ?? {}) as Record<string, unknown>;
  const missing = lists.find((list) => !Array.isArray(parts[list]));
  if (missing === undefined) return;
  throw new GraphError(
    "ARGUMENT",
    `a graph has the lists ${lists.join(", ")}, and ${describe(graph)} has no ${missing}`,
  );
}

/** Its program was frozen when it was checked. */
function freezeKernel(kernel: Kernel): void {
  Object.freeze(Object.freeze(Object.freeze(kernel).type).shape);
  if (kernel.kind === "gather") return;
  if (kernel.kind === "fold") Object.freeze(kernel.reduce);
  for (const arg of Object.freeze(kernel.args)) {
    Object.freeze(arg);
    if (arg.kind !== "operand") continue;
    Object.freeze(Object.freeze(arg.view).strides);
    if (arg.view.bounds) for (const pair of Object.freeze(arg.view.bounds)) Object.freeze(pair);
  }
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
    const describe = (type: NamedType | undefined) => (type ? `${quote(type.name)} ${formatType(type)}` : "nothing");
    throw new GraphError("TYPES", `${what}: entry ${i} is ${describe(a)}, expected ${describe(b)}`, {
      expected: b,
      found: a,
    });
  }
}
