/**
 * Finds the folds that are ordered scatter-adds: they add rows to a table in the order of their positions.
 */
import { type Arg, type FoldKernel, SCATTER_STEP } from "../kernels/kernel.ts";
import { programKey } from "../programs/program.ts";

/**
 * table[index[t]] += x[t] for t = 0, 1, 2 and so on in this order, x in the sum range; the table is zeroed
 * first.
 */
export interface ScatterForm {
  /** Row t begins at element `x.view.offset + t · stride`; its elements are contiguous. */
  x: Arg & { kind: "operand" };
  /**
   * Row t is added to the table's row in element `index.view.offset + t`; if that row does not exist, nothing
   * is added.
   */
  index: Arg & { kind: "operand" };
  /** The number of rows of x. */
  count: number;
  /** The number of rows of the table. */
  rows: number;
  /** Elements of a row. */
  inner: number;
  /** The distance from one row of x to the next, in elements. */
  stride: number;
}

/** A fold as an ordered scatter-add, or `undefined` when it does not have that form. */
export function scatterForm({ args, reduce, start, type, program }: FoldKernel): ScatterForm | undefined {
  const [index, row, x] = args;
  if (programKey(program) !== programKey(SCATTER_STEP) || start !== 0) return undefined;
  if (type.shape.length !== 2 || reduce.length !== 1 || row.kind !== "coordinate" || row.axis !== 0) return undefined;
  if (index.kind !== "operand" || x.kind !== "operand" || x.clampRange !== "sum") return undefined;
  if (index.view.bounds || x.view.bounds) return undefined;
  const [rows, inner] = type.shape;
  const [count] = reduce;
  const indexFits =
    index.view.strides[0] === 0 && index.view.strides[1] === 0 && (index.view.strides[2] === 1 || count === 1);
  const valuesFit = x.view.strides[0] === 0 && (x.view.strides[1] === 1 || inner === 1);
  return indexFits && valuesFit ? { x, index, count, rows, inner, stride: x.view.strides[2] } : undefined;
}
