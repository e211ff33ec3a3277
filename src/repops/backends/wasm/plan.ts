/** Decides how each kernel of a list runs, once, before the addresses of tensors are known. */
import { elementCount, type Tensor } from "../../../encoding/tensor.ts";
import { type FoldKernel, type GatherKernel, type KernelList, type MapKernel, typeOf } from "../../kernels/kernel.ts";
import type { ProductForm } from "../../schedule/product-form.ts";
import type { ScatterForm } from "../../schedule/scatter-form.ts";
import type { Schedule, Step } from "../../schedule/schedule.ts";
import { runFold, runMap } from "../reference.ts";
import type { CoreExports } from "./core.ts";
import { canLoop, type LoopCall, planLoops } from "./loop-plan.ts";
import { matmul } from "./matmul.ts";
import { multiplications } from "./products.ts";

export type KernelPlan =
  /** No elements. */
  | { kind: "nothing" }
  /** A fold over nothing: every element is its start value. */
  | { kind: "start"; bits: number }
  | { kind: "gather"; kernel: GatherKernel; rows: number; rowBytes: number; count: number }
  /** The reference's code, on the same memory. */
  | { kind: "definition"; kernel: MapKernel | FoldKernel }
  | { kind: "product"; form: ProductForm }
  | { kind: "scatter"; form: ScatterForm }
  | { kind: "loops"; calls: readonly LoopCall[] };

/**
 * The plans of all kernels.
 * @param schedule with a step for each kernel
 * @param always no shortcuts: neither products nor scatter-adds, and `canon` after every instruction
 */
export function planKernels({ list, steps }: Schedule, always: boolean): KernelPlan[] {
  return steps.map((step, i) => planKernel(list, i, always ? {} : step, always));
}

function planKernel(
  list: KernelList,
  index: number,
  { product, scatter }: Pick<Step, "product" | "scatter">,
  always: boolean,
): KernelPlan {
  const kernel = list.kernels[index];
  if (elementCount(kernel.type.shape) === 0) return { kind: "nothing" };
  if (kernel.kind === "gather") {
    const { shape } = typeOf(list, kernel.source);
    const count = elementCount(typeOf(list, kernel.index).shape);
    return { kind: "gather", kernel, rows: shape[0], rowBytes: 4 * elementCount(shape.slice(1)), count };
  }
  if (kernel.kind === "fold" && elementCount(kernel.reduce) === 0) return { kind: "start", bits: kernel.start };
  // Bounds on a fold's own axes are rare.
  if (!canLoop(kernel)) return { kind: "definition", kernel };
  if (product) return { kind: "product", form: product };
  if (scatter) return { kind: "scatter", form: scatter };
  return { kind: "loops", calls: planLoops(kernel, list.inputs.length + index, always) };
}

/** The code that runs for one kernel. A gather returns the number of reads outside of its source. */
export type Run = () => number | void;

/** The addresses of a list's tensors, and the code that computes on them. */
export interface Placed {
  memory: WebAssembly.Memory;
  core: CoreExports;
  tensors: readonly Tensor[];
  /** The address of a tensor, in bytes. */
  address(tensor: number): number;
  /** Address of the memory that products need. */
  scratch: number;
  /** A generated loop with its parameters in memory. */
  bindLoop(call: LoopCall): () => void;
}

/**
 * A plan on its memory.
 * @param output the tensor that the kernel writes
 */
export function bind(plan: KernelPlan, output: number, placed: Placed): Run {
  const { memory, core, tensors, address, scratch } = placed;
  const out = address(output);
  switch (plan.kind) {
    case "nothing":
      return () => undefined;
    case "start":
      return () => void new Int32Array(memory.buffer, out, tensors[output].data.length).fill(plan.bits | 0);
    case "gather": {
      const { kernel, rows, rowBytes, count } = plan;
      const [from, at] = [address(kernel.source), address(kernel.index)];
      return () => core.gatherRows(from, at, out, count, rowBytes, rows, kernel.fill | 0);
    }
    case "definition": {
      const { kernel } = plan;
      if (kernel.kind === "fold") return () => runFold(kernel, tensors, tensors[output]);
      return () => runMap(kernel, tensors, tensors[output]);
    }
    case "product": {
      const products = multiplications(plan.form, output, address);
      return () => products.forEach((product) => matmul(core, memory, scratch, product));
    }
    case "scatter": {
      const { x, index, count, rows, inner, stride } = plan.form;
      const from = address(x.tensor) + 4 * x.view.offset;
      const at = address(index.tensor) + 4 * index.view.offset;
      return () => core.scatterAdd(from, at, out, count, 4 * inner, rows, 4 * stride);
    }
    case "loops": {
      const runs = plan.calls.map((call) => placed.bindLoop(call));
      return runs.length === 1 ? runs[0] : () => runs.forEach((run) => run());
    }
  }
}
