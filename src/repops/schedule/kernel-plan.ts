/** Decides how each kernel of a list runs, once, before the addresses of tensors are known. */
import { elementCount } from "../../encoding/tensor.ts";
import { type FoldKernel, type GatherKernel, type KernelList, type MapKernel, typeOf } from "../kernels/kernel.ts";
import { canLoop, type LoopCall, planLoops } from "./loop-plan.ts";
import { type ProductForm, thinForm } from "./product-form.ts";
import type { ScatterForm } from "./scatter-form.ts";
import type { Schedule, Step } from "./schedule.ts";

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

/** Products that not every backend has. */
export interface MoreProducts {
  /** Of one row. */
  thin?: boolean;
  /** Of views (view-product.ts). */
  views?: boolean;
}

/**
 * The plans of all kernels.
 * @param schedule with a step for each kernel
 * @param always no shortcuts: neither products nor scatter-adds, and `canon` after every instruction

 * @param more products that a backend has beside those of plain matrices; default: they are loops
 */
export function planKernels({ list, steps }: Schedule, always: boolean, more: MoreProducts = {}): KernelPlan[] {
  return steps.map((step, i) => planKernel(list, i, always ? {} : step, always, always ? {} : more));
}

function planKernel(
  list: KernelList,
  index: number,
  { product, views, scatter }: Pick<Step, "product" | "views" | "scatter">,
  always: boolean,
  more: MoreProducts,
): KernelPlan {
  const kernel = list.kernels[index];
  if (elementCount(kernel.type.shape) === 0) return { kind: "nothing" };
  if (kernel.kind === "gather") {
    const { shape } = typeOf(list, kernel.source);
    const count = elementCount(typeOf(list, kernel.index).shape);
    return { kind: "gather", kernel, rows: shape[0], rowBytes: 4 * elementCount(shape.slice(1)), count };
  }
  if (kernel.kind === "fold" && elementCount(kernel.reduce) === 0) return { kind: "start", bits: kernel.start };
  const thin = more.thin && kernel.kind === "fold" ? thinForm(kernel) : undefined;
  const form = product ?? thin ?? (more.views ? views : undefined);
  if (form) return { kind: "product", form };
  // Bounds on a fold's own axes are rare.
  if (!canLoop(kernel)) return { kind: "definition", kernel };
  if (scatter) return { kind: "scatter", form: scatter };
  return { kind: "loops", calls: planLoops(kernel, list.inputs.length + index, always) };
}
