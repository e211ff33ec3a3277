/**
 * What the pooling operators share. All work on [examples, channels, height, width]; those over one axis have
 * a width of 1.
 */
import { checkOptions, describe, type Refuse } from "../errors/arguments.ts";
import type { Bounded } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { expectFloat, settingOf, shapeError, Value } from "./value.ts";
import { eachAxis, type PerAxis, type Sliding } from "./windows.ts";

/** The options of pooling. */
export interface PoolOptions {
  /** From one window to the next; that of the kernel. */
  stride?: PerAxis;
  /** Positions on both sides of each axis that count for nothing, at most half of the kernel; 0. */
  padding?: PerAxis;
  /** Whether a last window that begins inside but reaches over the end counts; false. */
  ceilMode?: boolean;
}

/** A pooling operator's operand with two axes, and how its windows slide. */
export interface Pooled {
  /** f32 [examples, channels, height, width] */
  readonly x: Value;
  readonly slidings: readonly [Sliding, Sliding];
  readonly refuse: Refuse;
}

/**
 * x as [examples, channels, height, width]. @throws {ShapeError} for another number of axes, or no elements
 */
export function planesOf(x: Value, axes: number, name: string): { planes: Value; refuse: Refuse } {
  expectFloat(x, name);
  const shown = axes === 1 ? "length" : "height, width";
  if (x.rank !== axes + 2)
    throw shapeError("OPERANDS", x.builder, name, `takes [examples, channels, ${shown}], not ${x}; reshape it`);
  if (x.shape.slice(2).includes(0)) throw shapeError("OPERANDS", x.builder, name, `${x} has no elements to pool`);
  const planes = axes === 1 ? reshape(x, [...x.shape, 1]) : x;
  return { planes, refuse: settingOf(x.builder.label(name)) };
}

/** The result without the width that a pooling over one axis was given. */
export const withoutWidth = (y: Value, axes: number): Value => (axes === 1 ? reshape(y, y.shape.slice(0, 3)) : y);

/**
 * Checks the settings of a pooling.
 * @throws {ShapeError} when a kernel is larger than its axis
 */
export function pooled(
  x: Value,
  kernel: PerAxis,
  options: PoolOptions & { dilation?: PerAxis },
  known: readonly string[],
  axes: number,
  name: string,
): Pooled {
  const { planes, refuse } = planesOf(x, axes, name);
  checkOptions(options, ["stride", "padding", "ceilMode", ...known], refuse);
  const both = (setting: string, given: unknown, least: number, ofWidth: number): number[] => {
    const list = eachAxis(setting, given, axes, least, refuse);
    return axes === 1 ? [...list, ofWidth] : list;
  };
  const kernels = both("kernel", kernel, 1, 1);
  const stride = both("stride", options.stride ?? kernel, 1, 1);
  const padding = both("padding", options.padding ?? 0, 0, 0);
  const dilation = both("dilation", options.dilation ?? 1, 1, 1);
  const { ceilMode = false } = options;
  if (typeof ceilMode !== "boolean") throw refuse(`ceilMode is ${describe(ceilMode)}; take true or false`);
  const slidings = kernels.map((size, i): Sliding => {
    const extent = planes.shape[2 + i];
    if (2 * padding[i] > size)
      throw refuse(`padding is ${padding[i]} for a kernel of ${size}; take half of the kernel at most`);
    const places = (extent + 2 * padding[i] - (size - 1) * dilation[i] - 1) / stride[i];
    let windows = Math.floor(places) + 1;
    // As in PyTorch a window that would begin in the padding after the end is none.
    if (ceilMode && places > -1 && windows * stride[i] < extent + padding[i]) windows = Math.ceil(places) + 1;
    if (windows < 1)
      throw shapeError("OPERANDS", x.builder, name, `a window of ${size} does not fit an axis of ${extent}, of ${x}`);
    const before = padding[i];
    return { extent, spacing: 1, before, kernel: size, stride: stride[i], dilation: dilation[i], windows };
  });
  return { x: planes, slidings: [slidings[0], slidings[1]], refuse };
}

/** Whether windows cover each element once at most, and are not padded. */
export const isDisjoint = ({ slidings }: Pooled): boolean =>
  slidings.every(
    ({ kernel, stride, dilation, before }) => kernel === stride && before === 0 && (dilation === 1 || kernel === 1),
  );

/**
 * Disjoint windows and their elements as the iteration space of a map: [examples, channels, rows, kernel
 * rows, columns, kernel columns]. The last windows may not exist.
 */
export function disjointSpace({ x, slidings: [rows, columns] }: Pooled): number[] {
  const count = ({ extent, kernel }: Sliding): number => Math.ceil(extent / kernel);
  return [x.shape[0], x.shape[1], count(rows), rows.kernel, count(columns), columns.kernel];
}

/** A value of each window, read at the elements of the window: `fill` where there is no window. */
export function atElements(value: Value, pool: Pooled, fill: number): Bounded {
  const space = disjointSpace(pool);
  const [n, c, i, j] = value.strides;
  const windows = pool.slidings.map((sliding) => sliding.windows);
  const bounds = space.map((extent, axis): [number, number] => [
    0,
    axis === 2 ? windows[0] : axis === 4 ? windows[1] : extent,
  ]);
  return { source: value, offset: value.offset, strides: [n, c, i, 0, j, 0], bounds, fill };
}

/** The elements of disjoint windows in the shape of the operand. */
export function fromDisjoint(value: Value, { x }: Pooled): Value {
  const [examples, channels, i, r, j, s] = value.shape;
  const planes = reshape(value, [examples, channels, i * r, j * s]);
  return slice(slice(planes, 2, 0, x.shape[2]), 3, 0, x.shape[3]);
}
