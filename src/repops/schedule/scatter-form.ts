/** Which folds are ordered scatter-adds: rows added to a table in the order of their positions. */
import { type Arg, type FoldKernel, SCATTER_STEP } from "../kernels/kernel.ts";
import { programKey } from "../programs/program.ts";

/** table[index[t]] += x[t] for t = 0, 1, … in this order, x in the sum range; the table is zeroed first. */
export interface ScatterForm {
  /** Element `x.view.offset + t · stride` begins row t; its elements lie side by side. */
  x: Arg & { kind: "operand" };
  /** Element `index.view.offset + t` is the row of the table that row t is added to; a row outside adds nothing. */
  index: Arg & { kind: "operand" };
  /** Rows of x. */
  count: number;
  /** Rows of the table. */
  rows: number;
  /** Elements of a row. */
  inner: number;
  /** Elements from one row of x to the next. */
  stride: number;
}

/** The ordered scatter-add that a fold is, or `undefined`. */
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
