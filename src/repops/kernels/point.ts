/**
 * One element of one kernel (spec 4): what it reads and what it computes, without the rest of the tensors. A
 * dispute ends here: everything is derived from the kernel and the element's number, and one scalar step is
 * executed.
 */
import { elementBits, elementCount, type Tensor, type TensorType, unravel } from "../../encoding/tensor.ts";
import { interpret } from "../programs/interpret.ts";
import { compileJavaScript } from "../programs/javascript.ts";
import {
  type Arg,
  bringIntoRange,
  type FoldKernel,
  type GatherKernel,
  type MapKernel,
  type ClampRange,
} from "./kernel.ts";
import { patternOf } from "../numbers/elements.ts";
import { canon, fromBits } from "../numbers/vf32.ts";
import { addressOf } from "./view.ts";

/** The source of one input of the scalar program, for one element and one fold index. */
export type PointInput =
  | { kind: "accumulator" }
  | { kind: "int"; value: number }
  /** Element `address` of a tensor, clamped to its range. */
  | { kind: "read"; tensor: number; address: number; clampRange: ClampRange }
  /** The view's fill value, clamped to its range. */
  | { kind: "fill"; bits: number; clampRange: ClampRange };

/** The number of scalar steps for one element: K for a fold, 1 for a map. */
export function pointLength(kernel: MapKernel | FoldKernel): number {
  return kernel.kind === "fold" ? elementCount(kernel.reduce) : 1;
}

/**
 * The inputs of the program for output element `element` (row-major) and fold index `k`, in the program's
 * order.
 * @param k 0 to K - 1; 0 for a map
 */
export function pointInputs(kernel: MapKernel | FoldKernel, element: number, k: number): PointInput[] {
  const coordinates = unravel(element, kernel.type.shape);
  const point = kernel.kind === "fold" ? [...coordinates, ...unravel(k, kernel.reduce)] : coordinates;
  const inputs = kernel.args.map((arg): PointInput => {
    if (arg.kind === "coordinate") return { kind: "int", value: coordinates[arg.axis] };
    if (arg.kind === "index") return { kind: "int", value: k };
    const { tensor, clampRange, view } = arg;
    const address = addressOf(view, point);
    return address < 0
      ? { kind: "fill", bits: view.fill ?? 0, clampRange }
      : { kind: "read", tensor, address, clampRange };
  });
  return kernel.kind === "fold" ? [{ kind: "accumulator" }, ...inputs] : inputs;
}

/**
 * A bit pattern as the program's input. `canon` is applied to floats first, so that any committed pattern has
 * a meaning.
 */
function valueOf(bits: number, type: "f" | "i", clampRange: ClampRange): number {
  return type === "f" ? bringIntoRange(canon(fromBits(bits)), clampRange) : bits | 0;
}

/**
 * One scalar step, as the interpreter defines it.
 * @param inputs the result of `pointInputs`
 * @param operands the bit patterns of the `read` inputs, in order
 * @param accumulator the bit pattern before step k; not used by a map
 * @returns the bit pattern of the result
 */
export function stepAt(
  kernel: MapKernel | FoldKernel,
  inputs: readonly PointInput[],
  operands: readonly number[],
  accumulator = 0,
): number {
  const { program, type } = kernel;
  let used = 0;
  const values = inputs.map((input, i) => {
    if (input.kind === "int") return input.value;
    if (input.kind === "accumulator") return valueOf(accumulator, program.inputs[i], "none");
    return valueOf(input.kind === "fill" ? input.bits : operands[used++], program.inputs[i], input.clampRange);
  });
  return patternOf(type.dtype, interpret(program, values));
}

/**
 * The accumulator of one element's fold after k = 0, 1, …, K-1, as bit patterns. The last is the element.
 * @param tensors the operands, by tensor number
 */
export function accumulators(
  kernel: FoldKernel,
  element: number,
  tensors: { readonly [tensor: number]: Tensor },
): Uint32Array {
  const program = compileJavaScript(kernel.program);
  const coordinates = unravel(element, kernel.type.shape);
  const reads = kernel.args.map((arg, i) => pointReader(arg, kernel.program.inputs[i + 1], coordinates, tensors));
  const out = new Uint32Array(pointLength(kernel));
  let value = valueOf(kernel.start, kernel.program.inputs[0], "none");
  for (let k = 0; k < out.length; k++) {
    const point = [...coordinates, ...unravel(k, kernel.reduce)];
    value = program(value, ...reads.map((read) => read(point, k)));
    out[k] = patternOf(kernel.type.dtype, value);
  }
  return out;
}

function pointReader(
  arg: Arg,
  type: "f" | "i",
  coordinates: readonly number[],
  tensors: { readonly [tensor: number]: Tensor },
): (point: readonly number[], k: number) => number {
  if (arg.kind === "coordinate") return () => coordinates[arg.axis];
  if (arg.kind === "index") return (_, k) => k;
  const tensor = tensors[arg.tensor];
  return (point) => {
    const address = addressOf(arg.view, point);
    return valueOf(address < 0 ? (arg.view.fill ?? 0) : elementBits(tensor, address), type, arg.clampRange);
  };
}

/** The element of the index tensor that chooses the row for output element `element` (spec 4.4). */
export function gatherIndexAddress(kernel: GatherKernel, element: number, index: TensorType): number {
  return Math.floor(element / gatherRow(kernel, index));
}

/** The element of the source for a chosen row, or -1 where the row is outside and the fill value is used. */
export function gatherSourceAddress(
  kernel: GatherKernel,
  element: number,
  row: number,
  index: TensorType,
  source: TensorType,
): number {
  const length = gatherRow(kernel, index);
  return row >= 0 && row < source.shape[0] ? row * length + (element % length) : -1;
}

/** Elements in a row. */
function gatherRow(kernel: GatherKernel, index: TensorType): number {
  return elementCount(kernel.type.shape.slice(index.shape.length));
}
