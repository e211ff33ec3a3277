/**
 * Kernel lists over rows: chains of maps, sums along rows and across them, broadcasts, and reads of other
 * rows. Some of their kernels can be executed together, row by row.
 */
import fc from "fast-check";
import { elementCount, type Shape } from "../../../src/encoding/tensor.ts";
import { type Arg, type Kernel, type KernelList, SUM_STEP, typeOf } from "../../../src/repops/kernels/kernel.ts";
import { rowMajorStrides, type View } from "../../../src/repops/kernels/view.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";
import { f32, i32 } from "./lists.ts";

const ADD = defineProgram("ff", (x, y) => x.sub(y.mul(0.5)));
const PLACED = defineProgram("fii", (x, row, column) => x.add(row.toFloat().mul(0.25)).sub(column.toFloat()));
const HALF = defineProgram("f", (x) => x.mul(0.5).add(1));

/** Input 0 holds ints, for gathers; then come a tensor, a value for each row, a row, and rows of a table. */
const SHAPES: readonly Shape[] = [
  [2, 24, 5],
  [3, 1, 40],
  [1, 64, 1],
  [4, 16, 8],
];

const operand = (tensor: number, view: View, clampRange: "none" | "sum" = "none"): Arg => ({
  kind: "operand",
  tensor,
  view,
  clampRange,
});

/** Lists in which most kernels read what was written shortly before. */
export const rowLists: fc.Arbitrary<{ list: KernelList; keep: number[] }> = fc
  .tuple(
    fc.constantFrom(...SHAPES),
    fc.array(fc.tuple(fc.nat(11), fc.nat(2 ** 16), fc.nat(2 ** 16), fc.nat(3)), { minLength: 2, maxLength: 16 }),
  )
  .map(([shape, rolls]) => {
    const [planes, rows, columns] = shape;
    const all = planes * rows;
    const inputs = [i32(all), f32(...shape), f32(planes, rows), f32(columns), f32(7, columns)];
    const kernels: Kernel[] = [];
    const list: KernelList = { inputs, kernels };
    const keep: number[] = [];
    const dense = rowMajorStrides(shape);
    for (const [kind, left, right, kept] of rolls) {
      const sized = (elements: number): number[] =>
        Array.from({ length: inputs.length + kernels.length - 1 }, (_, i) => 1 + i).filter(
          (tensor) => elementCount(typeOf(list, tensor).shape) === elements,
        );
      const pick = (from: readonly number[], roll: number): number =>
        roll % 3 ? from[from.length - 1 - (roll % Math.min(2, from.length))] : from[roll % from.length];
      const wide = sized(elementCount(shape));
      const [a, b] = [pick(wide, left), pick(wide, right)];
      const perRow = pick(sized(all), right);
      const perColumn = pick(sized(columns), right);
      const map = (program: typeof ADD, ...args: Arg[]): Kernel => ({
        kind: "map",
        type: f32(...shape),
        program,
        args,
      });
      const fold = (to: Shape, reduce: Shape, strides: number[]): Kernel => ({
        kind: "fold",
        type: f32(...to),
        program: SUM_STEP,
        start: 0,
        reduce,
        args: [operand(a, { offset: 0, strides }, "sum")],
      });
      const same = operand(a, { offset: 0, strides: dense });
      const made = [
        () => map(ADD, same, operand(b, { offset: 0, strides: dense })),
        () => map(HALF, same),
        () => map(ADD, same, operand(perRow, { offset: 0, strides: [rows, 1, 0] })),
        () => map(ADD, same, operand(perColumn, { offset: 0, strides: [0, 0, 1] })),
        () => map(PLACED, same, { kind: "coordinate", axis: 1 }, { kind: "coordinate", axis: 2 }),
        () => fold([planes, rows], [columns], [dense[0], dense[1], 1]),
        () => fold([planes, rows], [columns], [dense[0], dense[1], 1]),
        () => fold([columns], [planes, rows], [1, dense[0], dense[1]]),
        // The columns in another order: of the same row.
        () => map(HALF, operand(a, { offset: columns - 1, strides: [dense[0], dense[1], -1] })),
        // Other rows.
        () => map(HALF, operand(a, { offset: dense[1] * (rows - 1), strides: [dense[0], -dense[1], 1] })),
        // Beside an edge: of the same row, or of the row before.
        () => {
          const axis = left % 2 ? 2 : 1;
          const bounds = shape.map((extent, i): [number, number] => [i === axis ? 1 : 0, extent]);
          return map(ADD, same, operand(b, { offset: -dense[axis], strides: dense, bounds, fill: 0x3f800000 }));
        },
        () => ({ kind: "gather" as const, type: f32(all, columns), source: 4, index: 0, fill: 0 }),
      ][kind]();
      if (kept === 0) keep.push(inputs.length + kernels.length);
      kernels.push(made);
    }
    return { list, keep };
  });
