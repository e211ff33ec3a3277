/** Folds along rows, which are read in tiles: of every height and length at which tiles are cut otherwise. */
import type { Tensor } from "../../src/encoding/tensor.ts";
import { type Arg, type FoldKernel, SUM_STEP } from "../../src/repops/kernels/kernel.ts";
import { defineProgram } from "../../src/repops/programs/expressions.ts";
import { floatBits } from "../repops/inputs.ts";
import type { Case } from "../repops/kernels.ts";
import { fromBits } from "../../src/repops/numbers/vf32.ts";

/** What a step can read, all of it; each step changes the accumulator. */
const MIXED = defineProgram("ffffii", (sum, x, y, shared, k, row) =>
  sum.mul(-0.5).add(x.sub(y).mul(shared)).add(k.xor(row).and(7).toFloat()),
);

const [ROWS, LENGTHS] = [
  [1, 2, 3, 31, 32, 33, 70],
  [15, 16, 17, 64, 65, 100, 128, 300],
];
/** One row, or few, of more words than a tile has. */
const LONG: readonly (readonly [rows: number, count: number])[] = [
  [1, 2047],
  [1, 2048],
  [1, 4100],
  [5, 600],
  [8, 512],
];

/** @param gap words between two rows, which nothing reads */
function rowFold(rows: number, count: number, { gap, mixed }: { gap: number; mixed: boolean }): Case {
  const next = floatBits(31 * rows + count);
  const stride = count + gap;
  const tensorOf = (length: number): Tensor => ({
    dtype: "f32",
    shape: [length],
    data: Float32Array.from({ length }, () => fromBits(next())),
  });
  const operand = (tensor: number, strides: number[], offset = 0): Arg => ({
    kind: "operand",
    tensor,
    view: { offset, strides },
    clampRange: "sum",
  });
  const args = mixed
    ? [
        operand(0, [stride, 1], gap),
        operand(1, [stride, 1]),
        operand(2, [0, 1]),
        { kind: "index" } as const,
        { kind: "coordinate", axis: 0 } as const,
      ]
    : [operand(0, [stride, 1], gap)];
  const inputs = mixed
    ? [tensorOf(rows * stride + gap), tensorOf(rows * stride), tensorOf(count)]
    : [tensorOf(rows * stride + gap)];
  const kernel: FoldKernel = {
    kind: "fold",
    type: { dtype: "f32", shape: [rows] },
    program: mixed ? MIXED : SUM_STEP,
    start: 0,
    reduce: [count],
    args,
  };
  return { list: { inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [kernel] }, inputs };
}

export const ROW_FOLDS: readonly Case[] = [
  ...ROWS.flatMap((rows) => LENGTHS.map((count) => [rows, count] as const)),
  ...LONG,
].flatMap(
  // prettier-ignore
  ([rows, count]) => [false, true].map((mixed) => rowFold(rows, count, { gap: (rows + count) % 3, mixed })),
);
