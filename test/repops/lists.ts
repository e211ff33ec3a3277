/** Random lists of kernels whose outputs share memory. */
import fc from "fast-check";
import type { Tensor } from "../../src/encoding/tensor.ts";
import { type Arg, DOT_STEP, type Kernel, type KernelList, SUM_STEP } from "../../src/repops/kernels/kernel.ts";
import type { View } from "../../src/repops/kernels/view.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";
import { floats } from "./inputs.ts";

const SIDE = 9;
const SHAPE = [SIDE, SIDE];

export const operand = (tensor: number, view: View, clampRange: "none" | "dot" | "sum" = "none"): Arg => ({
  kind: "operand",
  tensor,
  view,
  clampRange,
});
const dense: View = { offset: 0, strides: [SIDE, 1] };
const VIEWS: readonly View[] = [
  dense,
  { offset: 0, strides: [1, SIDE] },
  { offset: SIDE * SIDE - 1, strides: [-SIDE, -1] },
  { offset: 3, strides: [0, SIDE] },
  {
    offset: -SIDE - 2,
    strides: [SIDE, 1],
    bounds: [
      [1, SIDE],
      [2, SIDE],
    ],
    fill: 0x3f800000,
  },
];
const MIX = defineProgram("ff", (x, y) => x.mul(0.5).add(y.max(x.neg())));

type Choice = readonly [kind: number, first: number, second: number, view: number];

/** Kernel number `i` of a list: it reads tensors that are before it. */
function kernelOf([kind, first, second, view]: Choice, tensors: number): Kernel {
  const [a, b] = [first % tensors, second % tensors];
  const type = { dtype: "f32" as const, shape: SHAPE };
  const picked = VIEWS[view % VIEWS.length];
  if (kind === 0) return { kind: "map", type, program: MIX, args: [operand(a, dense), operand(b, picked)] };
  const fold = { kind: "fold", type, start: 0, reduce: [SIDE] } as const;
  const left: View = { offset: 0, strides: [SIDE, 0, 1] };
  if (kind === 1) return { ...fold, program: SUM_STEP, args: [operand(a, { ...left, strides: [1, 0, SIDE] }, "sum")] };
  const right: View = { offset: 0, strides: view % 2 ? [0, SIDE, 1] : [0, 1, SIDE] };
  return { ...fold, program: DOT_STEP, args: [operand(a, left, "dot"), operand(b, right, "dot")] };
}

const choice = fc.tuple(fc.nat(2), fc.nat(99), fc.nat(99), fc.nat(9));
export const lists = fc
  .record({ choices: fc.array(choice, { minLength: 3, maxLength: 14 }), keep: fc.nat(2 ** 14), struck: fc.nat(99) })
  .map(({ choices, keep, struck }) => {
    const inputs = [0, 1].map(() => ({ dtype: "f32" as const, shape: SHAPE }));
    const kernels = choices.map((one, i) => kernelOf(one, inputs.length + i));
    const kept = kernels.flatMap((_, i) => ((keep >> i) & 1 || i === kernels.length - 1 ? [inputs.length + i] : []));
    return { list: { inputs, kernels } satisfies KernelList, kept, struck: struck % kernels.length };
  });

/** Something to read for every input of such a list. */
export function inputsOf({ inputs }: KernelList, seed: number): Tensor[] {
  const next = floats(seed);
  return inputs.map((type) => ({ ...type, data: Float32Array.from({ length: SIDE * SIDE }, next) }));
}
