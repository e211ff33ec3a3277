/**
 * The definition of the operators (spec 4): one function for each kind, which gives one element of a kernel's
 * output. Fast code is compared with this, bit for bit.
 */
import { elementCount, type Shape, type Tensor, unravel } from "../../encoding/tensor.ts";
import {
  type Arg,
  bringIntoRange,
  clampedBy,
  type FoldKernel,
  type GatherKernel,
  type Kernel,
  type MapKernel,
} from "../kernels/kernel.ts";
import { addressOf } from "../kernels/view.ts";
import { elementOf } from "../numbers/elements.ts";
import { compileJavaScript, compileTelling, type ScalarFunction, type Seen } from "../programs/javascript.ts";
import { notingOfKernel } from "../ranges/telling.ts";

/** Gives the element with a row-major number of a kernel's output. */
export type ElementAt = (element: number) => number;

/**
 * @param tensors the inputs of the list, then the outputs of its kernels, as far as the kernel reads them
 * @param seen collects the `NOTED` bits
 */
export function definitionOf(kernel: Kernel, tensors: readonly Tensor[], seen: Seen = { bits: 0 }): ElementAt {
  if (kernel.kind === "gather") return gatherElements(kernel, tensors);
  return kernel.kind === "map" ? mapElements(kernel, tensors, seen) : foldElements(kernel, tensors, seen);
}

/** The argument at one output element, by the fold index. */
type AtElement = (k: number) => number;

function reader(
  arg: Arg,
  tensors: readonly Tensor[],
  reduce: Shape,
  seen: Seen,
): (coordinates: readonly number[]) => AtElement {
  if (arg.kind === "coordinate") return (coordinates) => () => coordinates[arg.axis];
  if (arg.kind === "index") return () => (k) => k;
  const { data, dtype } = tensors[arg.tensor];
  const { view } = arg;
  const { clampRange } = arg;
  const ranged = (x: number): number => {
    if (clampRange === "none") return x;
    seen.bits |= clampedBy(x, clampRange);
    return bringIntoRange(x, clampRange);
  };
  if (view.bounds) {
    const fill = elementOf(dtype, view.fill ?? 0);
    return (coordinates) => (k) => {
      const address = addressOf(view, [...coordinates, ...unravel(k, reduce)]);
      return ranged(address < 0 ? fill : data[address]);
    };
  }
  // Without bounds an address is a sum of two parts. The part that depends on k is the same for all elements.
  const own = { offset: view.offset, strides: view.strides.slice(0, view.strides.length - reduce.length) };
  const steps = placesAlong(reduce, view.strides.slice(own.strides.length));
  return (coordinates) => {
    const base = addressOf(own, coordinates);
    return (k) => ranged(data[base + steps[k]]);
  };
}

/** The distance of each k from k = 0, in elements. */
function placesAlong(reduce: Shape, strides: readonly number[]): Int32Array {
  const places = new Int32Array(elementCount(reduce));
  let count = places.length === 0 ? 0 : 1;
  // The last axis runs fastest: each axis repeats, at its stride, what the axes after it have given.
  for (let axis = reduce.length - 1; axis >= 0; axis--) {
    for (let i = count; i < count * reduce[axis]; i++) places[i] = places[i - count] + strides[axis];
    count *= reduce[axis];
  }
  return places;
}

/** The program of a kernel, which notes what it does. */
function stepOf(kernel: MapKernel | FoldKernel, seen: Seen): ScalarFunction {
  const noting = notingOfKernel(kernel);
  if (!noting) return compileJavaScript(kernel.program);
  const telling = compileTelling(noting);
  return (...inputs) => telling(seen, ...inputs);
}

/** spec 4.2 */
function mapElements(kernel: MapKernel, tensors: readonly Tensor[], seen: Seen): ElementAt {
  const program = stepOf(kernel, seen);
  const readers = kernel.args.map((arg) => reader(arg, tensors, [], seen));
  const { shape } = kernel.type;
  return (element) => {
    const coordinates = unravel(element, shape);
    return program(...readers.map((read) => read(coordinates)(0)));
  };
}

/** spec 4.3 */
function foldElements(kernel: FoldKernel, tensors: readonly Tensor[], seen: Seen): ElementAt {
  const program = stepOf(kernel, seen);
  const readers = kernel.args.map((arg) => reader(arg, tensors, kernel.reduce, seen));
  const length = elementCount(kernel.reduce);
  const { dtype, shape } = kernel.type;
  const start = elementOf(dtype, kernel.start);
  const inputs = new Array<number>(readers.length + 1);
  return (element) => {
    const coordinates = unravel(element, shape);
    const args = readers.map((read) => read(coordinates));
    let acc = start;
    for (let k = 0; k < length; k++) {
      inputs[0] = acc;
      for (let j = 0; j < args.length; j++) inputs[j + 1] = args[j](k);
      acc = program(...inputs);
    }
    return acc;
  };
}

/** spec 4.4 */
function gatherElements(kernel: GatherKernel, tensors: readonly Tensor[]): ElementAt {
  const source = tensors[kernel.source];
  const index = tensors[kernel.index].data;
  const row = elementCount(source.shape.slice(1));
  const fill = elementOf(source.dtype, kernel.fill);
  return (element) => {
    const at = index[Math.floor(element / row)];
    return isInside(at, source) ? source.data[at * row + (element % row)] : fill;
  };
}

const isInside = (row: number, { shape }: Tensor): boolean => row >= 0 && row < shape[0];

/**
 * Computes all elements of a kernel's output.
 * @returns the `NOTED` bits
 */
export function runDefinition(kernel: Kernel, tensors: readonly Tensor[], { data }: Tensor): number {
  const seen = { bits: 0 };
  const elementAt = definitionOf(kernel, tensors, seen);
  for (let i = 0; i < data.length; i++) data[i] = elementAt(i);
  return seen.bits;
}

/**
 * The number of rows that a gather reads outside of its source (spec 4.4); of rows without elements, none.
 */
export function rowsOutside({ source, index }: GatherKernel, tensors: readonly Tensor[]): number {
  const table = tensors[source];
  if (elementCount(table.shape.slice(1)) === 0) return 0;
  let outside = 0;
  for (const row of tensors[index].data) if (!isInside(row, table)) outside++;
  return outside;
}
