/**
 * The definition of the operators (spec 4): one loop for each kind of operator, in the order of the
 * specification. Fast code is compared with this, bit for bit.
 */
import { elementCount, type Shape, type Tensor, tensorRoot, unravel, zeros } from "../../encoding/tensor.ts";
import type { Backend, ExecuteOptions, ExecuteReport, Session } from "./backend.ts";
import { checkedSession } from "./checked.ts";
import { copyOf } from "./host.ts";
import { javascriptArithmetic, probeArithmetic } from "./probe.ts";
import { compileJavaScript } from "../programs/javascript.ts";
import {
  type Arg,
  bringIntoRange,
  type FoldKernel,
  type GatherKernel,
  type KernelList,
  type MapKernel,
  typeOf,
} from "../kernels/kernel.ts";
import { elementOf } from "../numbers/elements.ts";
import { addressOf } from "../kernels/view.ts";
import { emptyReport, wantedOf } from "./wanted.ts";

/** The definition (spec 4): plain loops, one element after another. Slow. */
export const reference: Backend = {
  name: "reference",
  probe: () => probeArithmetic(javascriptArithmetic),
  prepare: (list, options) => checkedSession(list, options, async () => new ReferenceSession(list)),
};

/** The argument at one output element, by the fold index. */
type AtElement = (k: number) => number;

function reader(arg: Arg, tensors: readonly Tensor[], reduce: Shape): (coordinates: readonly number[]) => AtElement {
  if (arg.kind === "coordinate") return (coordinates) => () => coordinates[arg.axis];
  if (arg.kind === "index") return () => (k) => k;
  const { data, dtype } = tensors[arg.tensor];
  const { view } = arg;
  const { clampRange } = arg;
  if (view.bounds) {
    const fill = elementOf(dtype, view.fill ?? 0);
    return (coordinates) => (k) => {
      const address = addressOf(view, [...coordinates, ...unravel(k, reduce)]);
      return bringIntoRange(address < 0 ? fill : data[address], clampRange);
    };
  }
  // Without bounds an address is a sum of two parts. The part that depends on k is the same for all elements.
  const own = { offset: view.offset, strides: view.strides.slice(0, view.strides.length - reduce.length) };
  const along = { offset: 0, strides: view.strides.slice(own.strides.length) };
  const steps = Int32Array.from({ length: elementCount(reduce) }, (_, k) => addressOf(along, unravel(k, reduce)));
  return (coordinates) => {
    const base = addressOf(own, coordinates);
    return (k) => bringIntoRange(data[base + steps[k]], clampRange);
  };
}

/** spec 4.2 */
export function runMap(kernel: MapKernel, tensors: readonly Tensor[], out: Tensor): void {
  const program = compileJavaScript(kernel.program);
  const readers = kernel.args.map((arg) => reader(arg, tensors, []));
  for (let i = 0; i < out.data.length; i++) {
    const coordinates = unravel(i, out.shape);
    out.data[i] = program(...readers.map((read) => read(coordinates)(0)));
  }
}

/** spec 4.3 */
export function runFold(kernel: FoldKernel, tensors: readonly Tensor[], out: Tensor): void {
  const program = compileJavaScript(kernel.program);
  const readers = kernel.args.map((arg) => reader(arg, tensors, kernel.reduce));
  const length = elementCount(kernel.reduce);
  const start = elementOf(out.dtype, kernel.start);
  const inputs = new Array<number>(readers.length + 1);
  for (let i = 0; i < out.data.length; i++) {
    const coordinates = unravel(i, out.shape);
    const args = readers.map((read) => read(coordinates));
    let acc = start;
    for (let k = 0; k < length; k++) {
      inputs[0] = acc;
      for (let j = 0; j < args.length; j++) inputs[j + 1] = args[j](k);
      acc = program(...inputs);
    }
    out.data[i] = acc;
  }
}

/** spec 4.4. @returns the number of rows that were read outside of the source */
export function runGather(kernel: GatherKernel, tensors: readonly Tensor[], out: Tensor): number {
  const source = tensors[kernel.source];
  const index = tensors[kernel.index].data;
  const row = elementCount(source.shape.slice(1));
  const fill = elementOf(out.dtype, kernel.fill);
  // Of rows without elements, none is read.
  if (row === 0) return 0;
  let outOfRange = 0;
  for (let i = 0; i < index.length; i++) {
    const inside = index[i] >= 0 && index[i] < source.shape[0];
    if (!inside) outOfRange++;
    for (let j = 0; j < row; j++) out.data[i * row + j] = inside ? source.data[index[i] * row + j] : fill;
  }
  return outOfRange;
}

class ReferenceSession implements Session {
  private readonly list: KernelList;
  private readonly tensors: Tensor[];

  constructor(list: KernelList) {
    this.list = list;
    this.tensors = Array.from({ length: list.inputs.length + list.kernels.length }, (_, i) => zeros(typeOf(list, i)));
  }

  async write(input: number, tensor: Tensor): Promise<void> {
    this.tensors[input].data.set(tensor.data);
  }

  async read(tensor: number): Promise<Tensor> {
    return copyOf(this.tensors[tensor]);
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const copies = pairs.map(({ from }) => this.tensors[from].data.slice());
    pairs.forEach(({ to }, i) => this.tensors[to].data.set(copies[i]));
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const wanted = wantedOf(options, this.list.kernels.length);
    const report = emptyReport();
    for (const [i, kernel] of this.list.kernels.entries()) {
      const out = this.tensors[this.list.inputs.length + i];
      if (kernel.kind === "map") runMap(kernel, this.tensors, out);
      else if (kernel.kind === "fold") runFold(kernel, this.tensors, out);
      else {
        const count = runGather(kernel, this.tensors, out);
        if (count > 0) report.outOfRange.push({ kernel: i, count });
      }
      if (wanted.roots.has(i)) report.roots.set(i, tensorRoot(out));
      if (wanted.captured.has(i)) report.captured.set(i, copyOf(out));
    }
    return report;
  }

  async roots(tensors: readonly number[]) {
    return tensors.map((tensor) => tensorRoot(this.tensors[tensor]));
  }

  async close(): Promise<void> {
    this.tensors.length = 0;
  }
}
