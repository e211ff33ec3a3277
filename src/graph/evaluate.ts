/**
 * Runs operators on arrays, without a job: for experiments, for tests, and where only reproducibility is
 * needed.
 */
import { elementCount, type Shape, type Tensor } from "../encoding/tensor.ts";
import { ShapeError } from "../errors/index.ts";
import { type Backend, executeOnce } from "../repops/backends/backend.ts";
import { wasm } from "../repops/backends/wasm/backend.ts";
import { importFloats, type ImportOptions } from "../repops/numbers/vf32.ts";
import { GraphBuilder } from "./builder.ts";
import type { Value } from "./value.ts";
import { dense } from "./dense.ts";

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
  return { dtype: "f32", shape: checked(shape, values), data: importFloats(values, options) };
}

/**
 * An i32 tensor.
 * @param values row-major; cut to 32 bits
 * @throws {ShapeError} when the count does not fit
 */
export function intTensor(shape: Shape, values: ArrayLike<number>): Tensor {
  return { dtype: "i32", shape: checked(shape, values), data: Int32Array.from(values) };
}

function checked(shape: Shape, values: ArrayLike<number>): Shape {
  if (elementCount(shape) !== values.length)
    throw new ShapeError(
      "COUNT",
      `${values.length} values for a tensor of shape [${shape.join(", ")}]; give one for each element`,
      { shape, expected: elementCount(shape), found: values.length },
    );
  return [...shape];
}

/**
 * Builds a graph with `body`, runs it, and returns the results of `body` as tensors.
 *
 *     const y = await evaluate(({ x }) => softmax(x), { x: tensor([1, 3], [1, 2, 3]) });
 *
 * @param inputs the tensors that `body` takes, by name
 * @param options `backend`: the backend that computes; default WASM
 * @throws {GraphError | ShapeError | ProgramError} when `body` does not build a valid graph
 */
export async function evaluate<Inputs extends Record<string, Tensor>, Outputs extends Value | Record<string, Value>>(
  body: (inputs: { [Name in keyof Inputs]: Value }) => Outputs,
  inputs: Inputs,
  options: { backend?: Backend } = {},
): Promise<Outputs extends Value ? Tensor : { [Name in keyof Outputs]: Tensor }> {
  const builder = new GraphBuilder();
  const names = Object.keys(inputs);
  const values = Object.fromEntries(names.map((name) => [name, builder.input(name, inputs[name])]));
  const result = body(values as { [Name in keyof Inputs]: Value });
  const single = "builder" in result;
  const named: Record<string, Value> = single ? { result: result as Value } : (result as Record<string, Value>);
  const outputs = Object.entries(named).map(([name, value]) => ({ name, value: dense(value) }));
  const graph = builder.finish(outputs);
  const results = await executeOnce(
    options.backend ?? wasm,
    graph,
    names.map((name) => inputs[name]),
    graph.outputs.map((output) => output.tensor),
  );
  const tensors = Object.fromEntries(graph.outputs.map(({ name }, i) => [name, results[i]]));
  return (single ? tensors.result : tensors) as never;
}
