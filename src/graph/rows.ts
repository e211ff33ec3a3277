/** Folds over rows. Sums, norms and softmax are made of them. They record no gradients. */
import type { Shape } from "../encoding/tensor.ts";
import { DOT_STEP, type ClampRange, SUM_STEP } from "../repops/kernels/kernel.ts";
import type { Program } from "../repops/programs/program.ts";
import { fold } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { transpose } from "./ops/transpose.ts";
import type { Value } from "./value.ts";

/**
 * A long row is folded in 16 interleaved lanes, and then the lanes are folded. This vectorises, and rounding
 * errors grow sixteen times slower. The result differs from that of a plain fold, so the choice depends only
 * on the shape.
 */
const LANES = 16;
const lanesFit = (extent: number): boolean => extent > LANES && extent % LANES === 0;

/** x with the axes `axes` moved after the others. */
export function reduceLast(x: Value, axes: readonly number[]): { value: Value; shape: Shape; reduce: Shape } {
  const kept = [...x.shape.keys()].filter((axis) => !axes.includes(axis));
  const value = transpose(x, [...kept, ...axes]);
  return { value, shape: kept.map((axis) => x.shape[axis]), reduce: axes.map((axis) => x.shape[axis]) };
}

/** [..., K] as [..., 16, K/16]: lane l holds the elements l, l+16, … */
function laned(x: Value): Value {
  const lead = x.shape.slice(0, -1);
  return transpose(reshape(x, [...lead, x.shape[x.rank - 1] / LANES, LANES]));
}

interface RowFold {
  /** The program over the values' elements, and the program that joins two lanes. */
  steps: readonly [over: Program, join: Program];
  clampRanges: readonly [over: ClampRange, join: ClampRange];
  start: number;
  name: string;
}

/** A fold over the last axis: values [..., K] → [...]. */
export function foldRows(values: readonly Value[], { steps, clampRanges, start, name }: RowFold): Value {
  const [x] = values;
  const extent = x.shape[x.rank - 1];
  const shape = x.shape.slice(0, -1);
  if (!lanesFit(extent))
    return fold(steps[0], values, { name, shape, reduce: [extent], start, clampRange: clampRanges[0] });
  const lanes = fold(steps[0], values.map(laned), {
    name: `${name}-lanes`,
    shape: [...shape, LANES],
    reduce: [extent / LANES],
    start,
    clampRange: clampRanges[0],
  });
  return fold(steps[1], [lanes], { name, shape, reduce: [LANES], start, clampRange: clampRanges[1] });
}

/** How axes are folded, one after another. */
export interface AxisFold {
  step: Program;
  start: number;
  clampRange: ClampRange;
  name: string;
}

/**
 * A fold over axes, which are removed: leading axes first, so that each fold runs along contiguous memory.
 * @param axes in ascending order
 */
export function foldAxes(x: Value, axes: readonly number[], { step, start, clampRange, name }: AxisFold): Value {
  return axes.reduce((value, axis, done) => {
    if (axis - done === value.rank - 1)
      return foldRows([value], { steps: [step, step], clampRanges: [clampRange, clampRange], start, name });
    const { value: moved, shape, reduce } = reduceLast(value, [axis - done]);
    return fold(step, [moved], { name, shape, reduce, start, clampRange });
  }, x);
}

/** Σ over the last axis: f32 [..., K] → [...]. */
export function sumRows(x: Value, name: string): Value {
  return foldRows([x], { steps: [SUM_STEP, SUM_STEP], clampRanges: ["sum", "sum"], start: 0, name });
}

/** Σ a·b over the last axis: f32 [..., K] twice → [...]. Both operands are clamped to the dot range. */
export function dotRows(a: Value, b: Value, name: string): Value {
  return foldRows([a, b], { steps: [DOT_STEP, SUM_STEP], clampRanges: ["dot", "sum"], start: 0, name });
}

/** Σ a·b over the first axis: f32 [K, ...] twice → [...]. Both operands are clamped to the dot range. */
export function dotColumns(a: Value, b: Value, name: string): Value {
  const rows = a.shape[0];
  const [x, y] = [a, b].map((value) => reduceLast(value, [0]).value);
  return fold(DOT_STEP, [x, y], { name, shape: a.shape.slice(1), reduce: [rows], start: 0, clampRange: "dot" });
}
