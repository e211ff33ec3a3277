/**
 * Runs operators on arrays, without a job: for experiments, for tests, and where only reproducibility is
 * needed.
 */
import { checkShape, elementCount, type Shape, type Tensor } from "../encoding/tensor.ts";
import { checkOptions, describe, isPlainObject, type Refuse } from "../errors/arguments.ts";
import { GraphError, ShapeError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type Backend, executeOnce } from "../repops/backends/backend.ts";
import { wasm } from "../repops/backends/wasm/backend.ts";
import { checkTensor, importInts } from "../repops/numbers/tensors.ts";
import { importFloats, type ImportOptions, lengthOf } from "../repops/numbers/vf32.ts";
import { GraphBuilder } from "./builder.ts";
import { Value } from "./value.ts";
import { dense } from "./dense.ts";
import { describeNoted, type NotedOperator, notedOperators, type OutsideReads, readsOutside } from "./outside.ts";

/**
 * A float tensor from numbers of any kind: rounded to vf32 (spec 2.3).
 *
 *     const x = tensor([2, 2], [1, 2, 3, 4]);
 *
 * @param values row-major
 * @throws {ShapeError} when the count does not fit
 * @throws {ValueError} for NaN and values that vf32 does not hold
 */
export function tensor(shape: Shape, values: ArrayLike<number>, options?: ImportOptions): Tensor {
  const name = "tensor";
  const named = options === undefined || isPlainObject(options) ? { name, ...options } : options;
  return { dtype: "f32", shape: checked(shape, values, name), data: importFloats(values, named) };
}

/**
 * An i32 tensor.
 * @param values row-major; whole numbers from -2^31 to 2^31 - 1
 * @throws {ShapeError} when the count does not fit
 * @throws {ValueError} for a number that is not whole or does not fit 32 bits; it names the index and value
 */
export function intTensor(shape: Shape, values: ArrayLike<number>): Tensor {
  return { dtype: "i32", shape: checked(shape, values, "intTensor"), data: importInts(values, "intTensor") };
}

function checked(shape: Shape, values: ArrayLike<number>, name: string): Shape {
  checkShape(shape, name);
  const found = lengthOf(values, name);
  if (elementCount(shape) !== found)
    throw new ShapeError(
      "COUNT",
      `${found} values for a tensor of shape [${shape.join(", ")}]; give one for each element`,
      { shape, expected: elementCount(shape), found },
    );
  return [...shape];
}

const warnOf = ({ label, count }: OutsideReads): void =>
  console.warn(`${count} reads of ${label} were outside their source`);
const CONSEQUENCES = {
  above: "which were cut to that",
  below: "which counted as 0",
  saturated: "the largest number that there is",
  domain: "which the specification gives a result (3.6)",
} as const satisfies Record<NotedOperator["kind"], string>;
const warnNoted = (found: NotedOperator): void =>
  console.warn(`${found.label} ${describeNoted(found)}, ${CONSEQUENCES[found.kind]}`);

/**
 * Builds a graph with `body`, runs it, and returns the results of `body` as tensors.
 *
 *     const y = await evaluate(({ x }) => softmax(x), { x: tensor([1, 3], [1, 2, 3]) });
 *
 * @param inputs the tensors that `body` takes, by name
 * @param options `backend`: the backend that computes; default WASM. `onOutOfRange`: takes the reads that
 *   were outside of the source of a gather. `onNoted`: takes what operators noted (spec 4.7): magnitudes
 *   outside of a clamp range, results that reached 2^127, operands outside of a domain. By default the
 *   console warns of each
 * @throws {ValueError | ShapeError} when an input is no tensor, has another length, or has an element that is
 *   not a vf32; it names the input, the index and the value. Also when a label is no class
 * @throws {GraphError | ShapeError | ProgramError} when `body` does not build a valid graph
 */
export async function evaluate<Inputs extends Record<string, Tensor>, Outputs extends Value | Record<string, Value>>(
  body: (inputs: { [Name in keyof Inputs]: Value }) => Outputs,
  inputs: Inputs,
  options: {
    backend?: Backend;
    onOutOfRange?: (reads: OutsideReads) => void;
    onNoted?: (found: NotedOperator) => void;
  } = {},
): Promise<Outputs extends Value ? Tensor : { [Name in keyof Outputs]: Tensor }> {
  const refuse: Refuse = (problem) => new GraphError("ARGUMENT", `evaluate: ${problem}`);
  if (typeof body !== "function") throw refuse(`the first argument is ${describe(body)}; pass a function of values`);
  if (!isPlainObject(inputs)) throw refuse(`the inputs are ${describe(inputs)}; pass tensors by name`);
  checkOptions(options, ["backend", "onOutOfRange", "onNoted"], refuse);
  const { onOutOfRange = warnOf, onNoted = warnNoted } = options;
  if (typeof onOutOfRange !== "function")
    throw refuse(`onOutOfRange is ${describe(onOutOfRange)}; pass a function of { label, count }`);
  if (typeof onNoted !== "function")
    throw refuse(`onNoted is ${describe(onNoted)}; pass a function of { label, kind, exponent }`);
  const backend = options.backend ?? wasm;
  if (typeof backend?.prepare !== "function")
    throw refuse(`backend is ${describe(backend)}; pass a backend, such as wasm`);
  const builder = new GraphBuilder();
  const names = Object.keys(inputs);
  for (const name of names) checkTensor(inputs[name], `input ${quote(name)}`);
  const values = Object.fromEntries(names.map((name) => [name, builder.input(name, inputs[name])]));
  const result = body(values as { [Name in keyof Inputs]: Value });
  const single = result instanceof Value;
  if (!single && !isPlainObject(result))
    throw refuse(`the function returns ${describe(result)}; return a value, or values by name`);
  const named = single ? { result } : (result as Record<string, Value>);
  const outputs = Object.entries(named).map(([name, value]) => ({ name, value: dense(value) }));
  const graph = builder.finish(outputs);
  const results = await executeOnce(
    backend,
    graph,
    names.map((name) => inputs[name]),
    graph.outputs.map((output) => output.tensor),
    ({ outOfRange, noted }) => {
      for (const { label, count } of readsOutside(graph, outOfRange)) onOutOfRange({ label, count });
      for (const found of notedOperators(graph, noted)) onNoted(found);
    },
  );
  const tensors = Object.fromEntries(graph.outputs.map(({ name }, i) => [name, results[i]]));
  return (single ? tensors.result : tensors) as never;
}
