/** How much a graph computes, for comparison with what a referee computes. */
import { elementCount } from "../encoding/tensor.ts";
import type { JobOutline } from "../job/closed.ts";
import type { Kernel, KernelList } from "../repops/kernels/kernel.ts";

/**
 * Executions of the scalar program: one for each element of a map, K for each element of a fold over K
 * indices.
 */
export function scalarStepsOf(kernel: Kernel): number {
  return elementCount(kernel.type.shape) * (kernel.kind === "fold" ? elementCount(kernel.reduce) : 1);
}

/** The number of scalar steps in one execution of a graph. */
export function countScalarSteps({ kernels }: Pick<KernelList, "kernels">): number {
  return kernels.reduce((sum, kernel) => sum + scalarStepsOf(kernel), 0);
}

/** The number of scalar steps of a whole run: the cost of executing it again. */
export function countJobSteps({ init, step, steps }: JobOutline): number {
  return (init.kind === "graph" ? countScalarSteps(init.graph) : 0) + steps * countScalarSteps(step);
}
