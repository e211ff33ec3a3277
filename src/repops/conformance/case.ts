/** A conformance vector: kernels with their operands, and the outputs whose bits are compared. */
import type { Tensor } from "../../encoding/tensor.ts";
import type { Arg, Kernel, KernelList, ClampRange } from "../kernels/kernel.ts";
import type { View } from "../kernels/view.ts";

export interface ConformanceCase {
  list: KernelList;
  inputs: readonly Tensor[];
  /** The compared outputs, by their names in a certificate. */
  outputs: readonly { name: string; tensor: number }[];
}

/** One kernel and its output. */
export function caseOf(name: string, inputs: readonly Tensor[], kernel: Kernel): ConformanceCase {
  const list = { inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [kernel] };
  return { inputs, list, outputs: [{ name, tensor: inputs.length }] };
}

/** An operand that is read from element 0 with these strides, unless other settings are given. */
export function read(
  tensor: number,
  strides: readonly number[],
  more: Partial<View> & { clampRange?: ClampRange } = {},
): Arg {
  const { clampRange = "none", ...view } = more;
  return { kind: "operand", tensor, clampRange, view: { offset: 0, strides, ...view } };
}

export const f32 = (...shape: number[]) => ({ dtype: "f32" as const, shape });
export const i32 = (...shape: number[]) => ({ dtype: "i32" as const, shape });
