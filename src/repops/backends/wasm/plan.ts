/** Plans of kernels on the memory of a session. */
import type { Tensor } from "../../../encoding/tensor.ts";
import type { KernelPlan } from "../../schedule/kernel-plan.ts";
import type { LoopCall } from "../../schedule/loop-plan.ts";
import { runDefinition } from "../definition.ts";
import type { CoreExports } from "./core.ts";
import { matmul } from "./matmul.ts";
import { multiplications } from "./products.ts";

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
      return () => runDefinition(kernel, tensors, tensors[output]);
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
