/**
 * Dot folds that are matrix products of views: their rows, columns or depth have several axes or bounds, as
 * those of convolutions and their gradients do. The operands become plain matrices when they are packed.
 */
import { type FoldKernel, isDot } from "../kernels/kernel.ts";
import { rowMajorStrides } from "../kernels/view.ts";
import { joinAxes } from "./axes.ts";
import type { OperandArg, ProductAxis, ProductForm } from "./product-form.ts";

/** An axis along which an operand is read: from one element to the next, and where it is read at all. */
export interface ViewAxis {
  extent: number;
  stride: number;
  from: number;
  to: number;
}

/**
 * How the lanes (A's rows, B's columns) and the depth of an operand are counted: in row-major order of these
 * axes. Outside of the bounds it has the fill value, a bit pattern.
 */
export interface OperandView {
  lanes: readonly ViewAxis[];
  depth: readonly ViewAxis[];
  fill: number;
}

/**
 * The operands that are no plain matrices; at least one. The strides of `row`, `column` and `depth` are those
 * of the others.
 */
export interface ProductViews {
  a?: OperandView;
  b?: OperandView;
}

export type ViewProduct = ProductForm & { views: ProductViews };

/** Fewer columns are not worth a tile. */
const LEAST_COLUMNS = 4;

/** An axis of the iteration space. */
interface Axis {
  extent: number;
  out: number;
  left: ViewAxis;
  right: ViewAxis;
}

/**
 * A dot fold as a product of views, or `undefined` when it does not have that form, or is a product of plain
 * matrices.
 */
export function viewProduct(kernel: FoldKernel): ViewProduct | undefined {
  const [left, right] = kernel.args;
  if (!isDot(kernel) || left?.kind !== "operand" || right?.kind !== "operand") return undefined;
  const { shape } = kernel.type;
  const outStrides = rowMajorStrides(shape);
  const space = [...shape, ...kernel.reduce];
  const all = space.map((extent, axis): Axis => {
    const [ofLeft, ofRight] = [left, right].map(({ view }) => sideOf(view, axis, extent));
    return { extent, out: outStrides[axis] ?? 0, left: ofLeft, right: ofRight };
  });
  // With one place on an axis, its bounds leave all or nothing.
  if (all.some(({ extent, left: a, right: b }) => extent === 1 && (isBounded(a) || isBounded(b)))) return undefined;
  const outer = all.slice(0, shape.length).filter(({ extent }) => extent > 1);
  const inner = outer.at(-1);
  if (!inner || has(inner.left) === has(inner.right)) return undefined;
  const swapped = has(inner.left);
  const ofA = (axis: Axis): ViewAxis => (swapped ? axis.right : axis.left);
  const ofB = (axis: Axis): ViewAxis => (swapped ? axis.left : axis.right);
  const runs = runsOf(outer, (axis) => [has(ofA(axis)), has(ofB(axis))]);
  const columns = runs.pop()!;
  const rows = runs
    .filter(([first]) => has(ofA(first)) && !has(ofB(first)))
    .reduce<Axis[]>((best, run) => (countOf(run) > countOf(best) ? run : best), []);
  if (rows.length === 0 || countOf(columns) < LEAST_COLUMNS) return undefined;
  const batch = runs.filter((run) => run !== rows).flat();
  if (batch.some(({ left: a, right: b }) => isBounded(a) || isBounded(b))) return undefined;
  const depths = all.slice(shape.length);
  const views = {
    ...viewOf(rows.map(ofA), depths.map(ofA), (swapped ? right : left).view.fill, "a"),
    ...viewOf(columns.map(ofB), depths.map(ofB), (swapped ? left : right).view.fill, "b"),
  };
  if (!views.a && !views.b) return undefined;
  const [a, b] = swapped ? [right, left] : [left, right];
  const last = (axes: readonly Axis[], side: (axis: Axis) => ViewAxis): number =>
    joined(axes.map(side)).at(-1)?.stride ?? 0;
  return {
    a,
    b,
    row: { extent: countOf(rows), out: rows.at(-1)!.out, a: last(rows, ofA), b: 0 },
    column: { extent: countOf(columns), out: 1, a: 0, b: last(columns, ofB) },
    depth: { extent: countOf(depths), out: 0, a: last(depths, ofA), b: last(depths, ofB) },
    batch: batch.map((axis): ProductAxis => ({ extent: axis.extent, out: axis.out, a: ofA(axis).stride, b: ofB(axis).stride })), // prettier-ignore
    views,
  };
}

function sideOf({ strides, bounds }: OperandArg["view"], axis: number, extent: number): ViewAxis {
  const [from, to] = bounds?.[axis] ?? [0, extent];
  return { extent, stride: strides[axis], from, to };
}

/** Whether an operand depends on an axis. */
const has = (axis: ViewAxis): boolean => axis.stride !== 0 || isBounded(axis);

const isBounded = ({ extent, from, to }: ViewAxis): boolean => from > 0 || to < extent;

const countOf = (axes: readonly Axis[]): number => axes.reduce((count, { extent }) => count * extent, 1);

/** Neighbouring axes of the same operands, which are one axis of the output. */
function runsOf(axes: readonly Axis[], operands: (axis: Axis) => readonly boolean[]): Axis[][] {
  const runs: Axis[][] = [];
  for (const axis of axes) {
    const [before] = runs.at(-1) ?? [];
    if (before && String(operands(before)) === String(operands(axis))) runs.at(-1)!.push(axis);
    else runs.push([axis]);
  }
  return runs;
}

/** Nothing for an operand that is a plain matrix. */
function viewOf(lanes: readonly ViewAxis[], depth: readonly ViewAxis[], fill = 0, name: "a" | "b"): ProductViews {
  const view = { lanes: joined(lanes), depth: joined(depth), fill };
  const isPlain = [view.lanes, view.depth].every((axes) => axes.length < 2 && !axes.some(isBounded));
  return isPlain ? {} : { [name]: view };
}

function joined(axes: readonly ViewAxis[]): ViewAxis[] {
  // Joined axes keep the bounds of the last one.
  const open = axes.map((axis) => (isBounded(axis) ? axis : { ...axis, from: 0, to: Infinity }));
  const made = joinAxes(open, ({ stride }) => [stride], isBounded);
  return made.map((axis) => (isBounded(axis) ? axis : { ...axis, to: axis.extent }));
}
