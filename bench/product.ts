/** A matrix product as a kernel list of its own: inputs A [m, k] and B [k, n], output tensor 2. */
import type { Tensor } from "../src/encoding/tensor.ts";
import { tensor } from "../src/graph/index.ts";
import { DOT_STEP, type KernelList } from "../src/repops/kernels/kernel.ts";

export function productList(m: number, n: number, k: number): KernelList {
  const view = (strides: number[]) => ({ offset: 0, strides });
  return {
    inputs: [
      { dtype: "f32", shape: [m, k] },
      { dtype: "f32", shape: [k, n] },
    ],
    kernels: [
      {
        kind: "fold",
        type: { dtype: "f32", shape: [m, n] },
        program: DOT_STEP,
        start: 0,
        reduce: [k],
        args: [
          { kind: "operand", tensor: 0, view: view([k, 0, 1]), clampRange: "dot" },
          { kind: "operand", tensor: 1, view: view([0, 1, n]), clampRange: "dot" },
        ],
      },
    ],
  };
}

/** Operands for it, between -0.5 and 0.5. */
export function productInputs(m: number, n: number, k: number): [Tensor, Tensor] {
  const fill = (count: number) => Float64Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 101 - 0.5);
  return [tensor([m, k], fill(m * k)), tensor([k, n], fill(k * n))];
}
