/** Small kernel lists for schedules: chains, sums, products and rows over vectors. */
import fc from "fast-check";
import { elementCount, type Shape, type TensorType } from "../../../src/encoding/tensor.ts";
import {
  DOT_STEP,
  type Kernel,
  type KernelList,
  SCATTER_STEP,
  SUM_STEP,
  typeOf,
} from "../../../src/repops/kernels/kernel.ts";
import { rowMajorStrides } from "../../../src/repops/kernels/view.ts";
import { defineProgram } from "../../../src/repops/programs/expressions.ts";

export const f32 = (...shape: number[]): TensorType => ({ dtype: "f32", shape });
export const i32 = (...shape: number[]): TensorType => ({ dtype: "i32", shape });

const ADD = defineProgram("ff", (x, y) => x.add(y));
const DOUBLE = defineProgram("f", (x) => x.add(x));

const dense = (tensor: number, shape: Shape) => ({
  kind: "operand" as const,
  tensor,
  view: { offset: 0, strides: rowMajorStrides(shape) },
  clampRange: "none" as const,
});

/** x + x, element by element. */
export const double = (tensor: number, ...shape: number[]): Kernel => ({
  kind: "map",
  type: f32(...shape),
  program: DOUBLE,
  args: [dense(tensor, shape)],
});

/** x + y, element by element. */
export const add = (a: number, b: number, ...shape: number[]): Kernel => ({
  kind: "map",
  type: f32(...shape),
  program: ADD,
  args: [dense(a, shape), dense(b, shape)],
});

/** y[i] = x[n-1-i] + x[n-1-i]: not in the order of its output. */
export const reversed = (tensor: number, length: number): Kernel => ({
  kind: "map",
  type: f32(length),
  program: DOUBLE,
  args: [{ ...dense(tensor, [length]), view: { offset: length - 1, strides: [-1] } }],
});

/** y[i] = the sum of x, in each of `length` elements. */
export const sum = (tensor: number, of: number, length: number): Kernel => ({
  kind: "fold",
  type: f32(length),
  program: SUM_STEP,
  start: 0,
  reduce: [of],
  args: [{ ...dense(tensor, [of]), view: { offset: 0, strides: [0, 1] }, clampRange: "sum" }],
});

/** C[m, n] = A[m, k] · B[k, n] */
export const product = (a: number, b: number, m: number, k: number, n: number): Kernel => ({
  kind: "fold",
  type: f32(m, n),
  program: DOT_STEP,
  start: 0,
  reduce: [k],
  args: [
    { kind: "operand", tensor: a, view: { offset: 0, strides: [k, 0, 1] }, clampRange: "dot" },
    { kind: "operand", tensor: b, view: { offset: 0, strides: [0, 1, n] }, clampRange: "dot" },
  ],
});

export const gather = (source: number, index: number, length: number): Kernel => ({
  kind: "gather",
  type: f32(length),
  source,
  index,
  fill: 0x3f800000,
});

/** table[index[t]] += x[t], for a table of `rows` rows. */
export const scatter = (x: number, index: number, rows: number, count: number, columns: number): Kernel => ({
  kind: "fold",
  type: f32(rows, columns),
  program: SCATTER_STEP,
  start: 0,
  reduce: [count],
  args: [
    { kind: "operand", tensor: index, view: { offset: 0, strides: [0, 0, 1] }, clampRange: "none" },
    { kind: "coordinate", axis: 0 },
    { kind: "operand", tensor: x, view: { offset: 0, strides: [0, 1, columns] }, clampRange: "sum" },
  ],
});

const LENGTHS = [1, 2, 5, 16, 40];

/**
 * Lists of vectors in which every kernel may read any tensor before it; input 0 holds ints, the others
 * floats.
 */
export const lists: fc.Arbitrary<{ list: KernelList; keep: number[] }> = fc
  .array(fc.tuple(fc.nat(5), fc.nat(2 ** 16), fc.nat(2 ** 16), fc.boolean()), { minLength: 1, maxLength: 25 })
  .map((rolls) => {
    const inputs = [i32(5), ...LENGTHS.map((length) => f32(length))];
    const kernels: Kernel[] = [];
    const list: KernelList = { inputs, kernels };
    const keep: number[] = [];
    for (const [kind, left, right, kept] of rolls) {
      const floats = inputs.length + kernels.length - 1;
      // Later tensors are read more often, so that there are chains.
      const a = 1 + Math.max(left % floats, right % floats);
      const { shape } = typeOf(list, a);
      const length = elementCount(shape);
      const alike = Array.from({ length: floats }, (_, i) => 1 + i).filter(
        (tensor) => elementCount(typeOf(list, tensor).shape) === length,
      );
      const b = alike[right % alike.length];
      const made = [
        () => double(a, length),
        () => add(a, b, length),
        () => reversed(a, length),
        () => sum(a, length, LENGTHS[right % LENGTHS.length]),
        () => gather(a, 0, 5),
        () => add(b, a, length),
      ][kind]();
      if (kept) keep.push(inputs.length + kernels.length);
      kernels.push(made);
    }
    return { list, keep };
  });
