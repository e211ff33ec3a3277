/**
 * Windows that slide over the last axes of a tensor: convolutions and pooling read through them. An operand
 * is first spaced out and padded, if it has to be; then all windows are one view.
 */
import type { Shape } from "../encoding/tensor.ts";
import { describe, type Refuse } from "../errors/arguments.ts";
import { wholeSetting } from "../repops/numbers/settings.ts";
import { COPY } from "./dense.ts";
import { map } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { Value } from "./value.ts";

/**
 * How windows slide along one axis. Element i of the operand stands at position i · spacing + before, and
 * between and around the elements are fills. Element k of window o is at position o · stride + k · dilation.
 */
export interface Sliding {
  /** The operand's extent. */
  readonly extent: number;
  readonly spacing: number;
  /** The padding in front; where negative, elements that are cut off. */
  readonly before: number;
  /** The extent of a window. */
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** The number of windows. */
  readonly windows: number;
}

/** The windows of each element's gradient: which windows of `axis` hold element i, in the reverse order. */
export function reversedSliding({ extent, spacing, before, kernel, stride, dilation, windows }: Sliding): Sliding {
  const turned = (kernel - 1) * dilation - before;
  return { extent: windows, spacing: stride, before: turned, kernel, stride: spacing, dilation, windows: extent };
}

const lengthOf = ({ windows, stride, kernel, dilation }: Sliding): number =>
  (windows - 1) * stride + (kernel - 1) * dilation + 1;

/**
 * The positions that windows read: [..., extents…] → [..., lengths…]. A view where no fills are needed, else
 * one map.
 * @param axes for the last axes of x
 * @param fill of the positions that hold no element
 */
function spread(x: Value, axes: readonly Sliding[], fill: number, name: string): Value {
  const lead = x.rank - axes.length;
  const lengths = axes.map(lengthOf);
  if (axes.every(({ spacing, before, extent }, i) => spacing === 1 && before <= 0 && lengths[i] - before <= extent))
    return axes.reduce((value, { before }, i) => slice(value, lead + i, -before, lengths[i] - before), x);
  const shape = x.shape.slice(0, lead);
  const strides = x.strides.slice(0, lead);
  const bounds = shape.map((extent): [number, number] => [0, extent]);
  let { offset } = x;
  for (const [i, { extent, spacing, before }] of axes.entries()) {
    const stride = x.strides[lead + i];
    // Position q · spacing + rest holds element q - first if rest is that of `before`.
    const rest = ((before % spacing) + spacing) % spacing;
    const first = (before - rest) / spacing;
    const count = Math.ceil(lengths[i] / spacing);
    const from = Math.min(Math.max(first, 0), count);
    shape.push(count);
    strides.push(stride);
    bounds.push([from, Math.max(from, Math.min(first + extent, count))]);
    offset -= first * stride;
    if (spacing === 1) continue;
    shape.push(spacing);
    strides.push(0);
    bounds.push([rest, rest + 1]);
  }
  const operand = { source: x, offset, strides, bounds, fill };
  const all = reshape(map(COPY[x.dtype], [operand], { name, shape }), [
    ...x.shape.slice(0, lead),
    ...axes.map(({ spacing }, i) => Math.ceil(lengths[i] / spacing) * spacing),
  ]);
  return axes.reduce((value, _, i) => slice(value, lead + i, 0, lengths[i]), all);
}

/**
 * All windows of x as one view: [lead…, extents…] → [lead…, windows…, kernels…].
 * @param fill of the positions that hold no element
 * @param name the label of the map that spaces x out, where one is needed
 */
export function windowsOf(x: Value, axes: readonly Sliding[], fill: number, name: string): Value {
  const lead = x.rank - axes.length;
  const value = spread(x, axes, fill, name);
  const strides = value.strides.slice(lead);
  return new Value(
    x.builder,
    value.source,
    x.dtype,
    [...x.shape.slice(0, lead), ...axes.map(({ windows }) => windows), ...axes.map(({ kernel }) => kernel)],
    {
      offset: value.offset,
      strides: [
        ...value.strides.slice(0, lead),
        ...axes.map(({ stride }, i) => stride * strides[i]),
        ...axes.map(({ dilation }, i) => dilation * strides[i]),
      ],
    },
  );
}

/**
 * x read over more axes: `places` says for each axis of the result which axis of x it is; -1: all the same.
 */
export function readOver(x: Value, shape: Shape, places: readonly number[]): Value {
  const strides = places.map((axis) => (axis < 0 ? 0 : x.strides[axis]));
  return new Value(x.builder, x.source, x.dtype, shape, { offset: x.offset, strides });
}

/** One number for all axes, or one for each. */
export type PerAxis = number | readonly number[];

/**
 * A setting of each axis, given as one number for all or as a list.
 * @throws what `refuse` makes, for another number of them, or one that is not a whole number from `least`
 */
export function eachAxis(name: string, given: unknown, count: number, least: number, refuse: Refuse): number[] {
  const list: unknown[] = Array.isArray(given) ? given : new Array<unknown>(count).fill(given);
  if (list.length !== count)
    throw refuse(`${name} is ${describe(given)}; give one number, or a list of ${count}, one for each axis`);
  return list.map((value) => wholeSetting(name, value, { least, most: 2 ** 24 }, refuse));
}
