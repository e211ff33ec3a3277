/** How much a kernel list computes: the same number on every machine. */
import { elementCount } from "../../encoding/tensor.ts";
import type { Kernel, KernelList } from "../kernels/kernel.ts";
import { scatterForm } from "./scatter-form.ts";

type Kernels = Pick<KernelList, "kernels">;

/**
 * The scalar instructions of a list as it is defined (spec 6.7): those of each program, times the elements
 * and the fold's steps. A gather counts one for each element.
 */
export function countInstructions({ kernels }: Kernels): number {
  return kernels.reduce((sum, kernel) => sum + instructionsOf(kernel), 0);
}

/**
 * The scalar instructions that one execution of a list takes: those of its definition, but an ordered
 * scatter-add takes one for each element that it adds.
 */
export function workOf({ kernels }: Kernels): number {
  return kernels.reduce((sum, kernel) => {
    const scatter = kernel.kind === "fold" ? scatterForm(kernel) : undefined;
    return sum + (scatter ? scatter.count * scatter.inner : instructionsOf(kernel));
  }, 0);
}

function instructionsOf(kernel: Kernel): number {
  const elements = elementCount(kernel.type.shape);
  if (kernel.kind === "gather") return elements;
  return elements * (kernel.kind === "fold" ? elementCount(kernel.reduce) : 1) * kernel.program.steps.length;
}
