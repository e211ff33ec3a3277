/** How much a kernel list computes: the same number on every machine. */
import { elementCount } from "../../encoding/tensor.ts";
import { type Kernel, type KernelList } from "../kernels/kernel.ts";
import { scatterForm } from "./scatter-form.ts";

/**
 * The scalar instructions that one execution of a list takes: those of each program, times the elements and
 * the fold's steps. A gather and an ordered scatter-add take one for each element that they copy or add.
 */
export function workOf({ kernels }: KernelList): number {
  return kernels.reduce((sum, kernel) => sum + instructionsOf(kernel), 0);
}

function instructionsOf(kernel: Kernel): number {
  const elements = elementCount(kernel.type.shape);
  if (kernel.kind === "gather") return elements;
  const { length } = kernel.program.steps;
  if (kernel.kind === "map") return elements * length;
  const scatter = scatterForm(kernel);
  return scatter ? scatter.count * scatter.inner : elements * elementCount(kernel.reduce) * length;
}
