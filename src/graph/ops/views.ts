/** Movement: the same elements under other coordinates. Only `dense`, `pad` and `concat` copy. */
import { elementCount, type Shape } from "../../encoding/tensor.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { isDense } from "../builder.ts";
import { type Bounded, map } from "../emit.ts";
import { axisOf, builderOf, shapeError, Value } from "../value.ts";

const COPY = { f32: defineProgram("f", (x) => x), i32: defineProgram("i", (x) => x) } as const;

/** A view of x with the rule by which its gradient goes back. */
export function viewOf(
  x: Value,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  back: (gradient: Value) => Value,
): Value {
  const { builder, source, dtype } = x;
  const origin = { inputs: [x], backward: (gradient: Value) => [back(gradient)] };
  return new Value(builder, source, dtype, shape, { offset, strides, origin });
}

/** The same values, row-major in a tensor of their own; a copy only where they are not that already. */
export function dense(x: Value, name = "copy"): Value {
  if (isDense(x)) return x;
  return map(COPY[x.dtype], [x], { name, shape: x.shape }).withOrigin([x], (gradient) => [gradient]);
}

/**
 * Axes in another order: axis i of the result is axis `axes[i]` of x. Without `axes` the last two change places.
 * @throws {ShapeError} when `axes` is not a permutation
 */
export function transpose(x: Value, axes?: readonly number[]): Value {
  const order = axes ?? [...x.shape.keys()].map((axis) => (axis < x.rank - 2 ? axis : 2 * x.rank - 3 - axis));
  if ([...order].sort((a, b) => a - b).join() !== [...x.shape.keys()].join() || (!axes && x.rank < 2))
    throw shapeError("AXIS", x.builder, "transpose", `[${order.join(", ")}] does not order the axes of ${x}`);
  const inverse = order.map((_, axis) => order.indexOf(axis));
  return viewOf(
    x,
    order.map((axis) => x.shape[axis]),
    order.map((axis) => x.strides[axis]),
    x.offset,
    (gradient) => transpose(gradient, inverse),
  );
}

/**
 * The same elements in row-major order under another shape; one extent may be -1.
 * @throws {ShapeError} when the number of elements differs
 */
export function reshape(x: Value, shape: Shape): Value {
  const known = elementCount(shape.filter((extent) => extent !== -1));
  const target = shape.map((extent) => (extent === -1 ? elementCount(x.shape) / known : extent));
  if (elementCount(target) !== elementCount(x.shape) || target.some((extent) => !Number.isInteger(extent)))
    throw shapeError("RESHAPE", x.builder, "reshape", `${x} has not the elements of [${shape.join(", ")}]`);
  const strides = reshapedStrides(x.shape, x.strides, target);
  if (!strides) return reshape(dense(x, "reshape"), target);
  return viewOf(x, target, strides, x.offset, (gradient) => reshape(gradient, x.shape));
}

/** Strides that read the same order of elements under another shape, if there are any. */
function reshapedStrides(shape: Shape, strides: readonly number[], target: Shape): number[] | undefined {
  if (elementCount(target) === 0) return target.map(() => 0);
  const axes = [...shape.keys()].filter((axis) => shape[axis] !== 1);
  const out = new Array<number>(target.length).fill(0);
  let to = target.length - 1;
  for (let from = axes.length - 1; from >= 0; ) {
    // Axes that lie in one run of memory count as one.
    let size = shape[axes[from]];
    const stride = strides[axes[from]];
    while (--from >= 0 && strides[axes[from]] === stride * size) size *= shape[axes[from]];
    for (let step = stride; size > 1; to--) {
      if (to < 0 || size % target[to] !== 0) return undefined;
      if (target[to] === 1) continue;
      out[to] = step;
      step *= target[to];
      size /= target[to];
    }
  }
  return out;
}

/** Elements from `from` up to, not including, `to` along one axis. */
export function slice(x: Value, axis: number, from: number, to: number): Value {
  const at = axisOf(x, axis, "slice");
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= x.shape[at]))
    throw shapeError("RANGE", x.builder, "slice", `${from} to ${to} is no range of axis ${axis} of ${x}`);
  const shape = x.shape.map((extent, i) => (i === at ? to - from : extent));
  const offset = shape.includes(0) ? 0 : x.offset + from * x.strides[at];
  return viewOf(x, shape, x.strides, offset, (gradient) => pad(gradient, at, from, x.shape[at] - to));
}

/** `before` and `after` elements of value 0 around an axis. */
export function pad(x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const at = axisOf(x, axis, "pad");
  const extent = x.shape[at];
  const shape = x.shape.map((size, i) => (i === at ? before + extent + after : size));
  const operand = shifted(x, shape, at, before);
  return map(COPY[x.dtype], [operand], { name: "pad", shape }).withOrigin([x], (gradient) => [
    slice(gradient, at, before, before + extent),
  ]);
}

/** x as it is read from a larger shape in which it begins at `start` of an axis. */
function shifted(x: Value, shape: Shape, axis: number, start: number): Bounded {
  const bounds = shape.map((size, i): [number, number] => (i === axis ? [start, start + x.shape[axis]] : [0, size]));
  return { source: x, offset: x.offset - start * x.strides[axis], strides: x.strides, bounds, fill: 0 };
}

/** Values one behind the other along an axis; all other extents are equal. */
export function concat(values: readonly Value[], axis: number): Value {
  const [first, ...rest] = values;
  const at = axisOf(first, axis, "concat");
  const builder = builderOf(...values);
  return rest.reduce((left, right) => {
    const fits = right.rank === left.rank && right.shape.every((extent, i) => i === at || extent === left.shape[i]);
    if (!fits || left.dtype !== right.dtype)
      throw shapeError("OPERANDS", builder, "concat", `${left} and ${right} do not fit together along axis ${axis}`);
    const cut = left.shape[at];
    const shape = left.shape.map((extent, i) => (i === at ? extent + right.shape[i] : extent));
    const operands = [shifted(left, shape, at, 0), shifted(right, shape, at, cut), { coordinate: at }];
    return map(joined(left, cut), operands, { name: "concat", shape }).withOrigin([left, right], (gradient) => [
      slice(gradient, at, 0, cut),
      slice(gradient, at, cut, shape[at]),
    ]);
  }, first);
}

const joined = (x: Value, cut: number) =>
  x.dtype === "f32"
    ? defineProgram("ffi", (a, b, i) => i.lt(cut).select(a, b))
    : defineProgram("iii", (a, b, i) => i.lt(cut).selectInt(a, b));
