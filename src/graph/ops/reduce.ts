/** Folds over axes: sums, means, maxima, dot products of rows; and broadcasting, whose gradient is a sum. */
import type { Shape } from "../../encoding/tensor.ts";
import { DOT_STEP, SUM_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { fold, map } from "../emit.ts";
import { axisOf, builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { reshape, transpose, viewOf } from "./views.ts";

const MAX_STEP = defineProgram("ff", (acc, x) => acc.max(x));

/**
 * A long row is folded as 16 interleaved lanes, then the lanes are folded: it vectorises, and its rounding errors grow
 * sixteen times slower. It is another sum than a plain fold, so the choice depends on the shape alone.
 */
export const LANES = 16;
const lanesFit = (extent: number): boolean => extent > LANES && extent % LANES === 0;

/** Extents of 1, or missing in front, repeated to `shape`. */
export function broadcastTo(x: Value, shape: Shape): Value {
  const lead = shape.length - x.rank;
  const fits = lead >= 0 && x.shape.every((extent, axis) => extent === shape[axis + lead] || extent === 1);
  if (!fits) throw shapeError("BROADCAST", x.builder, "broadcast", `${x} does not broadcast to [${shape.join(", ")}]`);
  if (lead === 0 && x.shape.join() === shape.join()) return x;
  const strides = shape.map((extent, axis) =>
    axis < lead || x.shape[axis - lead] !== extent ? 0 : x.strides[axis - lead],
  );
  return viewOf(x, shape, strides, x.offset, (gradient) => sumTo(gradient, x.shape));
}

/** The shape that several shapes broadcast to. */
export function commonShape(values: readonly Value[], name: string): Shape {
  const rank = Math.max(...values.map((value) => value.rank));
  return Array.from({ length: rank }, (_, axis) => {
    const extents = values.map((value) => value.shape[axis - rank + value.rank] ?? 1);
    const extent = extents.find((candidate) => candidate !== 1) ?? 1;
    if (extents.some((candidate) => candidate !== 1 && candidate !== extent))
      throw shapeError("BROADCAST", builderOf(...values), name, `shapes ${values.join(" and ")} do not broadcast`);
    return extent;
  });
}

/** x with the axes `axes` moved behind the others. */
function reduceLast(x: Value, axes: readonly number[]): { value: Value; shape: Shape; reduce: Shape } {
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const value = transpose(x, [...kept, ...axes]);
  return { value, shape: kept.map((axis) => x.shape[axis]), reduce: axes.map((axis) => x.shape[axis]) };
}

/** [..., K] as [..., 16, K/16]: lane l holds the elements l, l+16, … */
function laned(x: Value): Value {
  const lead = x.shape.slice(0, -1);
  return transpose(reshape(x, [...lead, x.shape[x.rank - 1] / LANES, LANES]));
}

function sumRows(values: readonly Value[], name: string): Value {
  const [x] = values;
  const extent = x.shape[x.rank - 1];
  const dot = values.length === 2;
  const [program, ranging] = dot ? ([DOT_STEP, "dot"] as const) : ([SUM_STEP, "sum"] as const);
  const lead = x.shape.slice(0, -1);
  if (!lanesFit(extent)) return fold(program, values, { name, shape: lead, reduce: [extent], start: 0, ranging });
  const lanes = fold(program, values.map(laned), {
    name: `${name}-lanes`,
    shape: [...lead, LANES],
    reduce: [extent / LANES],
    start: 0,
    ranging,
  });
  return fold(SUM_STEP, [lanes], { name, shape: lead, reduce: [LANES], start: 0, ranging: "sum" });
}

const insert = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent));

/** Σ over axes (all of them when none are named), which are removed. */
export function sum(x: Value, axes: readonly number[] = [...x.shape.keys()], name = "sum"): Value {
  expectFloat(x, name);
  const over = axes.map((axis) => axisOf(x, axis, name)).sort((a, b) => a - b);
  if (over.length === 0) return x;
  // Leading axes first: each fold then runs along contiguous memory.
  let value = x;
  for (const [done, axis] of over.entries()) value = sumAxis(value, axis - done, name);
  return value.withOrigin([x], (gradient) => [broadcastTo(reshape(gradient, insert(x.shape, over)), x.shape)]);
}

function sumAxis(x: Value, axis: number, name: string): Value {
  if (axis === x.rank - 1) return sumRows([x], name);
  const { value, shape, reduce } = reduceLast(x, [axis]);
  return fold(SUM_STEP, [value], { name, shape, reduce, start: 0, ranging: "sum" });
}

/** The sum that undoes a broadcast from `shape`. */
export function sumTo(x: Value, shape: Shape): Value {
  const lead = x.rank - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < lead || (shape[axis - lead] === 1 && x.shape[axis] !== 1));
  return reshape(sum(x, axes), shape);
}

/** The mean over axes (all of them when none are named): the sum times the rounded reciprocal of the count. */
export function mean(x: Value, axes?: readonly number[], name = "mean"): Value {
  const total = sum(x, axes, name);
  const count = (axes ?? [...x.shape.keys()]).reduce((product, axis) => product * x.shape[axisOf(x, axis, name)], 1);
  const scale = defineProgram("f", (y) => y.mul(1 / Math.max(count, 1)));
  const scaled = (y: Value): Value => map(scale, [y], { name, shape: y.shape });
  return scaled(total).withOrigin([total], (gradient) => [scaled(gradient)]);
}

/** The maximum over the last axis, without a gradient; -2^127 over no elements. The order does not change its bits. */
export function maxRows(x: Value, name = "max"): Value {
  expectFloat(x, name);
  const lead = x.shape.slice(0, -1);
  const extent = x.shape[x.rank - 1];
  const options = { start: -MAX_VALUE, ranging: "none" as const };
  if (!lanesFit(extent)) return fold(MAX_STEP, [x], { ...options, name, shape: lead, reduce: [extent] });
  const lanes = { ...options, name: `${name}-lanes`, shape: [...lead, LANES], reduce: [extent / LANES] };
  return fold(MAX_STEP, [fold(MAX_STEP, [laned(x)], lanes)], { ...options, name, shape: lead, reduce: [LANES] });
}

/** Σ over the last axis of x, without recording a gradient. */
export function sumRowsOf(x: Value, name: string): Value {
  return sumRows([x], name);
}

/** Σ a·b over the last axis, without recording a gradient; both operands enter the dot range. */
export function dotRows(a: Value, b: Value, name: string): Value {
  return sumRows([a, b], name);
}

/** Σ a·b over the first axis, without recording a gradient. */
export function dotColumns(a: Value, b: Value, name: string): Value {
  const rows = a.shape[0];
  const [x, y] = [a, b].map((value) => reduceLast(value, [0]).value);
  return fold(DOT_STEP, [x, y], { name, shape: a.shape.slice(1), reduce: [rows], start: 0, ranging: "dot" });
}
