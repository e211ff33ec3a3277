/** How much a kernel list computes: the same number on every machine. */
import { elementCount } from "../../encoding/tensor.ts";
import { type FoldKernel, type Kernel, type KernelList, SCATTER_STEP } from "../kernels/kernel.ts";
import { programKey } from "../programs/program.ts";

/**
 * The scalar instructions of a list (spec 6.7): those of each program, times the elements and the fold's
 * steps. A gather counts one for each element, and a scatter-add one for each element that it adds.
 */
export function countInstructions({ kernels }: Pick<KernelList, "kernels">): number {
  return kernels.reduce((sum, kernel) => sum + instructionsOf(kernel), 0);
}

function instructionsOf(kernel: Kernel): number {
  const elements = elementCount(kernel.type.shape);
  if (kernel.kind === "gather") return elements;
  if (kernel.kind === "map") return elements * kernel.program.steps.length;
  const steps = elements * elementCount(kernel.reduce);
  return isScatterAdd(kernel) ? steps / kernel.type.shape[0] : steps * kernel.program.steps.length;
}

/**
 * Whether a fold adds each of its steps to one row of its output alone: acc + (index = row ? x : 0), where
 * row is the coordinate on axis 0.
 */
function isScatterAdd({ program, args, type }: FoldKernel): boolean {
  const [, row] = args;
  const isRow = row?.kind === "coordinate" && row.axis === 0;
  return isRow && type.shape[0] > 0 && programKey(program) === programKey(SCATTER_STEP);
}
