/** Folds of special form: dot folds that are matrix products, and the ordered scatter-add. */
import { type FoldKernel, SCATTER_STEP } from "../../kernels/kernel.ts";
import { programKey } from "../../programs/program.ts";
import { productForm } from "../../schedule/product-form.ts";
import type { MatmulProblem } from "./matmul.ts";

/** The matrix products that a dot fold consists of, one for each index of its batch axes; `undefined` if it is none. */
export function asProducts(
  kernel: FoldKernel,
  output: number,
  address: (tensor: number) => number,
): MatmulProblem[] | undefined {
  const form = productForm(kernel);
  if (!form) return undefined;
  const { a, b, row, column, depth, batch } = form;
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
    k: depth.extent,
    aRow: row.a,
    aDepth: depth.a,
    bColumn: column.b,
    bDepth: depth.b,
    cRow: row.out,
  }));
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
