/** Folds of special form: dot folds that are matrix products, and the ordered scatter-add. */
import { type FoldKernel, isDot, SCATTER_STEP } from "../../kernel.ts";
import { programKey } from "../../program.ts";
import { rowMajorStrides } from "../../view.ts";
import { joinAxes } from "./axes.ts";
import type { MatmulProblem } from "./matmul.ts";

/** One axis that is left of an iteration space: strides in elements of the output and both operands. */
interface Axis {
  extent: number;
  out: number;
  a: number;
  b: number;
}

/**
 * The matrix products that a dot fold consists of, one for each index of its batch axes, or `undefined` when it has not
 * that form. Which operand is called A does not matter: a·b and b·a have the same bits.
 */
export function asProducts(
  kernel: FoldKernel,
  output: number,
  address: (tensor: number) => number,
): MatmulProblem[] | undefined {
  const [left, right] = kernel.args;
  if (!isDot(kernel) || left?.kind !== "operand" || right?.kind !== "operand") return undefined;
  if (left.view.bounds || right.view.bounds) return undefined;
  const { shape } = kernel.type;
  const outStrides = rowMajorStrides(shape);
  const all = [...shape, ...kernel.reduce].map((extent, axis): Axis => {
    const [a, b] = [left.view.strides[axis], right.view.strides[axis]];
    return { extent, out: outStrides[axis] ?? 0, a, b };
  });
  const depth = joined(all.slice(shape.length));
  if (depth.length > 1) return undefined;
  const axes = joined(all.slice(0, shape.length));
  const inner = axes.findIndex(({ out }) => out === 1);
  if (inner < 0) return undefined;
  // The axis along which the output is contiguous belongs to B; if it is A's, the operands change their names.
  const swapped = axes[inner].b === 0;
  const named = axes.map((axis): Axis => (swapped ? { ...axis, a: axis.b, b: axis.a } : axis));
  const column = named[inner];
  const rows = named.filter(({ a, b }) => a !== 0 && b === 0);
  if (column.a !== 0 || column.b === 0 || rows.length === 0) return undefined;
  const row = rows.reduce((best, axis) => (axis.extent > best.extent ? axis : best));
  const batch = named.filter((axis) => axis !== row && axis !== column);
  const [a, b] = swapped ? [right, left] : [left, right];
  const [k] = depth.length > 0 ? depth : [{ extent: 1, out: 0, a: 0, b: 0 }];
  const starts = batch.reduce(
    (found, axis) =>
      found.flatMap((start) =>
        Array.from({ length: axis.extent }, (_, i) => ({
          a: start.a + 4 * i * axis.a,
          b: start.b + 4 * i * axis.b,
          c: start.c + 4 * i * axis.out,
        })),
      ),
    [{ a: address(a.tensor) + 4 * a.view.offset, b: address(b.tensor) + 4 * b.view.offset, c: output }],
  );
  return starts.map((start) => ({
    ...start,
    m: row.extent,
    n: column.extent,
    k: k.extent,
    aRow: row.a,
    aDepth: swapped ? k.b : k.a,
    bColumn: column.b,
    bDepth: swapped ? k.a : k.b,
    cRow: row.out,
  }));
}

function joined(axes: readonly Axis[]): Axis[] {
  return joinAxes(axes, ({ out, a, b }) => [out, a, b]);
}

/** What `scatterAdd` takes, in bytes. */
export interface Scatter {
  x: number;
  index: number;
  count: number;
  rowBytes: number;
  rows: number;
  stride: number;
}

/** The ordered scatter-add that a fold is, or `undefined`. */
export function asScatter(kernel: FoldKernel, address: (tensor: number) => number): Scatter | undefined {
  const { args, reduce, start, type } = kernel;
  const [index, row, x] = args;
  if (programKey(kernel.program) !== programKey(SCATTER_STEP) || start !== 0) return undefined;
  if (type.shape.length !== 2 || reduce.length !== 1 || row.kind !== "coordinate" || row.axis !== 0) return undefined;
  if (index.kind !== "operand" || x.kind !== "operand" || x.ranging !== "sum") return undefined;
  if (index.view.bounds || x.view.bounds) return undefined;
  const [rows, inner] = type.shape;
  const [count] = reduce;
  const indexFits =
    index.view.strides[0] === 0 && index.view.strides[1] === 0 && (index.view.strides[2] === 1 || count === 1);
  const valuesFit = x.view.strides[0] === 0 && (x.view.strides[1] === 1 || inner === 1);
  if (!indexFits || !valuesFit) return undefined;
  return {
    x: address(x.tensor) + 4 * x.view.offset,
    index: address(index.tensor) + 4 * index.view.offset,
    count,
    rowBytes: 4 * inner,
    rows,
    stride: 4 * x.view.strides[2],
  };
}
