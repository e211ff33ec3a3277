/**
 * The facts that each backend needs before it runs a kernel list, as data: the steps in their order, the
 * reads and writes of each step in memory, the folds that have a faster form, and the steps between which
 * each tensor has to be in memory. It does not depend on a device: a backend generates code for the steps,
 * and takes memory with `allocate` (memory.ts).
 *
 *     const plan = schedule(list, keep);   // with limits where several kernels may run as one step
 *     const places = allocate(plan, (tensor) => byteLength(typeOf(list, tensor)), new Stretch(64));
 *     for (const { kernels, reads, writes } of plan.steps) run(kernels, reads, writes, places);
 */
import { type Kernel, type KernelList, operandsOf } from "../kernels/kernel.ts";
import { fuse, type FuseLimits } from "./fuse.ts";
import { lastingTensors, type Lifetime, lifetimesOf } from "./lifetimes.ts";
import { type ProductForm, productForm } from "./product-form.ts";
import { type ScatterForm, scatterForm } from "./scatter-form.ts";
import { type ViewProduct, viewProduct } from "./view-product.ts";

/** The forms of a step's first kernel that run faster than its definition. Most kernels have none. */
interface Forms {
  /** As a matrix product. */
  readonly product?: ProductForm;
  /** As a product of views. */
  readonly views?: ViewProduct;
  /** As an ordered scatter-add. */
  readonly scatter?: ScatterForm;
}

/** Kernels that run together, and pass values to each other in registers. */
export interface Step extends Forms {
  /** The kernels in their order. The first is of any kind; the others are maps over the same elements. */
  readonly kernels: readonly number[];
  /** Tensors that are read from memory, each once. */
  readonly reads: readonly number[];
  /**
   * Outputs that have to be in memory afterwards, because they are kept or another step reads them. At least
   * one.
   */
  readonly writes: readonly number[];
}

export interface Schedule {
  readonly list: KernelList;
  readonly steps: readonly Step[];
  /**
   * By tensor number; `undefined` for an output that is never in memory, because only its own step reads it.
   */
  readonly lifetimes: readonly (Lifetime | undefined)[];
  /** The tensors that are in memory before the first step and after the last (see `lastingTensors`). */
  readonly lasting: readonly number[];
}

/**
 * The schedule of a list.
 * @param keep tensors that are read after all steps have run; inputs are always kept
 * @param limits the limits of steps with several kernels; absent: each kernel is a step of its own, and every
 * output is in memory after its step
 */
export function schedule(list: KernelList, keep: readonly number[], limits?: FuseLimits): Schedule {
  const forms = list.kernels.map(formsOf);
  const groups = limits ? fuse(list, limits, aloneIn(list, forms, limits)) : list.kernels.map((_, kernel) => [kernel]);
  const reads = groups.map((kernels) => readsOf(list, kernels));
  const wanted = new Set([...keep, ...reads.flat()]);
  const steps = groups.map((kernels, i): Step => {
    const outputs = kernels.map((kernel) => list.inputs.length + kernel);
    const writes = outputs.filter((tensor) => wanted.has(tensor));
    return { kernels, reads: reads[i], writes: writes.length > 0 ? writes : outputs.slice(-1), ...forms[kernels[0]] };
  });
  const lasting = lastingTensors(list, keep);
  return { list, steps, lifetimes: lifetimesOf(list, steps, lasting), lasting };
}

function formsOf(kernel: Kernel): Forms {
  if (kernel.kind !== "fold") return {};
  const [product, scatter] = [productForm(kernel), scatterForm(kernel)];
  const views = product ? undefined : viewProduct(kernel);
  return { ...(product && { product }), ...(views && { views }), ...(scatter && { scatter }) };
}

/** The kernels to which no map is added. */
function aloneIn({ kernels }: KernelList, forms: readonly Forms[], { products }: FuseLimits): Set<number> {
  const alone = [...kernels.keys()].filter(
    (i) => kernels[i].kind === "gather" || (products && (forms[i].product || forms[i].views)),
  );
  return new Set(alone);
}

function readsOf(list: KernelList, kernels: readonly number[]): number[] {
  const own = new Set(kernels.map((kernel) => list.inputs.length + kernel));
  const operands = kernels.flatMap((kernel) => operandsOf(list.kernels[kernel]));
  return [...new Set(operands.filter((tensor) => !own.has(tensor)))];
}
