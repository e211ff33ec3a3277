/**
 * Affine views (spec 4.1): how a kernel reads an operand. A view maps coordinates of the iteration space to
 * one element of a row-major tensor: `offset + Σ strides[a] · coordinate[a]`. Stride 0 broadcasts. Where a
 * coordinate is outside of the view's bounds nothing is read, and the fill value is used instead. Padding and
 * concatenation are written in this way.
 */
import { ShapeError, type ShapeSubCode } from "../../errors/index.ts";
import { elementCount, MAX_ELEMENTS, type Shape } from "../../encoding/tensor.ts";
import { canonBits } from "../numbers/vf32.ts";

/**
 * How an operand is read: element `offset` + Σ coordinate · stride, and `fill` outside of the bounds (spec
 * 4.1).
 */
export interface View {
  offset: number;
  /** In elements, one for each axis of the iteration space. */
  strides: readonly number[];
  /** The half-open range for each axis in which the operand is read; absent: everywhere. */
  bounds?: readonly (readonly [from: number, to: number])[];
  /** The bit pattern outside of the bounds. */
  fill?: number;
}

/** Strides of a dense row-major tensor. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The element that is read at `coordinates`, or -1 where the fill value is used. */
export function addressOf(view: View, coordinates: readonly number[]): number {
  let address = view.offset;
  for (let axis = 0; axis < coordinates.length; axis++) {
    const at = coordinates[axis];
    const range = view.bounds?.[axis];
    if (range && (at < range[0] || at >= range[1])) return -1;
    address += at * view.strides[axis];
  }
  return address;
}

/**
 * The smallest and the largest address over a box of coordinates, or `undefined` when the box is empty. Both
 * are infinite when a term of an address is above 2^53: sums of such terms are not exact.
 */
export function addressRange(
  view: View,
  box: readonly (readonly [from: number, to: number])[],
): [number, number] | undefined {
  let low = view.offset;
  let high = view.offset;
  for (const [axis, [from, to]] of box.entries()) {
    if (to <= from) return undefined;
    const ends = [from * view.strides[axis], (to - 1) * view.strides[axis]];
    if (!ends.every(Number.isSafeInteger)) return [-Infinity, Infinity];
    low += Math.min(...ends);
    high += Math.max(...ends);
  }
  return [low, high];
}

/** The box of coordinates in which `view` reads its operand, within an iteration space of extents `space`. */
function readBox(view: View, space: Shape): [number, number][] {
  return space.map((extent, axis) => {
    const [from, to] = view.bounds?.[axis] ?? [0, extent];
    return [Math.max(from, 0), Math.min(to, extent)];
  });
}

/**
 * @param source the operand's shape; absent where it is not known, and then any tensor might be large enough
 * @throws {ShapeError} when the view does not fit the iteration space, or reads outside `source`.
 */
export function checkView(view: View, space: Shape, source: Shape | undefined, what: string): void {
  const fail = (subCode: ShapeSubCode, problem: string): never => {
    throw new ShapeError(subCode, `${what}: ${problem}; build it with the graph builder`, { view, space, source });
  };
  if (!Array.isArray(view?.strides) || !(view.bounds === undefined || Array.isArray(view.bounds)))
    fail("VIEW", "its strides or its bounds are no list");
  const pairs = view.bounds === undefined || [...view.bounds].every((pair) => Array.isArray(pair) && pair.length === 2);
  if (!pairs) fail("VIEW", "a bound is no pair of integers");
  const whole = [view.offset, ...view.strides, ...(view.bounds ?? []).flat()].every(
    (x) => Number.isInteger(x) && Math.abs(x) < 2 ** 31,
  );
  if (!whole) fail("VIEW", "a stride, offset or bound is not a 32-bit integer");
  if (view.strides.length !== space.length || (view.bounds && view.bounds.length !== space.length))
    fail("VIEW", `it has ${view.strides.length} strides for an iteration space of ${space.length} axes`);
  if ((view.fill ?? 0) !== canonBits(view.fill ?? 0)) fail("VIEW", "its fill value is not canonical");
  if (!view.bounds && view.fill) fail("VIEW", "it has a fill value without bounds");
  const range = addressRange(view, readBox(view, space));
  const count = source ? elementCount(source) : MAX_ELEMENTS;
  if (range && !range.every(Number.isSafeInteger)) fail("VIEW", "its addresses are above 2^53, so they are not exact");
  if (range && (range[0] < 0 || range[1] >= count))
    fail("VIEW_BOUNDS", `it reads elements ${range[0]} to ${range[1]} of a tensor with ${count} elements`);
}
