/** Finds the dot folds that are matrix products, and their axes. */
import { type Arg, type FoldKernel, isDot } from "../kernels/kernel.ts";
import { rowMajorStrides } from "../kernels/view.ts";
import { joinAxes } from "./axes.ts";
import type { ProductViews } from "./view-product.ts";

/** One remaining axis of an iteration space: strides in elements of the output and of both operands. */
export interface ProductAxis {
  extent: number;
  out: number;
  a: number;
  b: number;
}

/** An operand of a kernel. */
export type OperandArg = Arg & { kind: "operand" };

/** C[batch, row, column] = Σ over depth of A[batch, row, depth] · B[batch, depth, column] */
export interface ProductForm {
  a: OperandArg;
  b: OperandArg;
  /** A's own axis: the longest axis that B does not have. */
  row: ProductAxis;
  /** B's own axis, along which the output is contiguous. */
  column: ProductAxis;
  depth: ProductAxis;
  batch: readonly ProductAxis[];
  /** The operands that have several axes or bounds; absent: both are plain matrices. */
  views?: ProductViews;
}

/**
 * A dot fold as a matrix product, or `undefined` when it does not have that form. Which operand is called A
 * does not matter, because a·b and b·a have the same bits.
 */
export function productForm(kernel: FoldKernel): ProductForm | undefined {
  const form = formOf(kernel);
  return form && form.row.extent > 1 ? form : undefined;
}

/** Columns for which a product of one row is more than a loop. */
const LEAST_COLUMNS = 16;

/**
 * A dot fold as a product of one row, or `undefined` when it does not have that form: a matrix times a
 * vector, whichever comes first.
 */
export function thinForm(kernel: FoldKernel): ProductForm | undefined {
  const form = formOf(kernel);
  return form && form.row.extent === 1 && form.column.extent >= LEAST_COLUMNS ? form : undefined;
}

/** Where no axis is A's own, there is one row. */
function formOf(kernel: FoldKernel): ProductForm | undefined {
  const [left, right] = kernel.args;
  if (!isDot(kernel) || left?.kind !== "operand" || right?.kind !== "operand") return undefined;
  if (left.view.bounds || right.view.bounds) return undefined;
  const { shape } = kernel.type;
  const outStrides = rowMajorStrides(shape);
  const all = [...shape, ...kernel.reduce].map((extent, axis): ProductAxis => {
    const [a, b] = [left.view.strides[axis], right.view.strides[axis]];
    return { extent, out: outStrides[axis] ?? 0, a, b };
  });
  const depths = joined(all.slice(shape.length));
  if (depths.length > 1) return undefined;
  const axes = joined(all.slice(0, shape.length));
  const inner = axes.findIndex(({ out }) => out === 1);
  if (inner < 0) return undefined;
  // The axis along which the output is contiguous belongs to B. If it is A's, the operands are exchanged.
  const swapped = axes[inner].b === 0;
  const name = (axis: ProductAxis): ProductAxis => (swapped ? { ...axis, a: axis.b, b: axis.a } : axis);
  const named = axes.map(name);
  const column = named[inner];
  const rows = named.filter(({ a, b }) => a !== 0 && b === 0);
  if (column.a !== 0 || column.b === 0) return undefined;
  const row = rows.reduce((best, axis) => (axis.extent > best.extent ? axis : best), { extent: 1, out: 0, a: 0, b: 0 });
  const batch = named.filter((axis) => axis !== row && axis !== column);
  const [a, b] = swapped ? [right, left] : [left, right];
  return { a, b, row, column, depth: name(depths[0] ?? { extent: 1, out: 0, a: 0, b: 0 }), batch };
}

function joined(axes: readonly ProductAxis[]): ProductAxis[] {
  return joinAxes(axes, ({ out, a, b }) => [out, a, b]);
}
