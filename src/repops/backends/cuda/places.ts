/** Where a thread reads: its coordinates, the elements that views read there, and their clamp ranges. */
import type { Shape } from "../../../encoding/tensor.ts";
import { type ClampRange, NOTED, RANGE_EXPONENT } from "../../kernels/kernel.ts";
import type { View } from "../../kernels/view.ts";
import { bitsOf } from "../../numbers/vf32.ts";
import type { Body } from "./ptx.ts";

/** The register of a coordinate, by its axis. */
export type Coordinates = (axis: number) => string;

/** The coordinates of a row-major number, which are computed where they are needed. */
export function coordinatesOf(body: Body, number: string, shape: Shape): Coordinates {
  return (axis) => {
    const count = (axes: Shape): number => axes.reduce((product, extent) => product * extent, 1);
    if (shape[axis] === 1) return body.int(0);
    const inner = count(shape.slice(axis + 1));
    const outer = inner === 1 ? number : body.value("r", "div.u32", number, String(inner));
    return count(shape.slice(0, axis)) === 1 ? outer : body.value("r", "rem.u32", outer, String(shape[axis]));
  };
}

/** The innermost axis of more than one element; -1 if there is none. */
export const innermost = (shape: Shape): number => shape.findLastIndex((extent) => extent > 1);

/** A place in a tensor: the number of an element, and whether it is read at all. */
export interface Place {
  /** A register, in which numbers wrap until all terms are added; absent: 0. */
  readonly index?: string;
  /** A predicate; absent: always. */
  readonly inside?: string;
}

const both = (body: Body, a: string | undefined, b: string): string =>
  a === undefined ? b : body.value("p", "and.pred", a, b);

/** `from ≤ x < to`, of an x from 0 to `extent` - 1; `inside` if that is always so. */
export function within(
  body: Body,
  x: string,
  { from, to, extent }: { from: number; to: number; extent: number },
  inside?: string,
): string | undefined {
  let result = inside;
  if (from > 0) result = both(body, result, body.value("p", "setp.ge.s32", x, String(from)));
  if (to < extent) result = both(body, result, body.value("p", "setp.lt.s32", x, String(to)));
  return result;
}

/** A place that is `stride` elements further for each step of a coordinate. */
export function moved(body: Body, index: string | undefined, coordinate: string, stride: number): string | undefined {
  if (stride === 0) return index;
  const term = stride === 1 ? coordinate : body.value("r", "mul.lo.s32", coordinate, String(stride));
  return index === undefined ? term : body.value("r", "add.s32", index, term);
}

/**
 * The part of a view's place that depends on some axes.
 * @param before the part that depends on the others; absent: the view's offset
 */
export function locate(
  body: Body,
  view: View,
  space: Shape,
  axes: readonly number[],
  at: Coordinates,
  before: Place = view.offset === 0 ? {} : { index: body.int(view.offset) },
): Place {
  let { index, inside } = before;
  for (const axis of axes) {
    const extent = space[axis];
    const [from, to] = view.bounds?.[axis] ?? [0, extent];
    if (from > 0 || to < extent) inside = within(body, at(axis), { from, to, extent }, inside);
    if (extent > 1) index = moved(body, index, at(axis), view.strides[axis]);
  }
  return { ...(index !== undefined && { index }), ...(inside !== undefined && { inside }) };
}

/** The address of an element. */
export function addressOf(body: Body, base: string, index: string | undefined): string {
  return index === undefined ? base : body.value("d", "add.s64", base, body.value("d", "mul.wide.u32", index, "4"));
}

/** The element at a place, or the fill value outside. Nothing writes to what a kernel reads while it runs. */
export function load(body: Body, bank: "f" | "r", base: string, { index, inside }: Place, fill = 0): string {
  const address = addressOf(body, base, index);
  if (inside === undefined) return body.value(bank, "ld.global.nc.b32", `[${address}]`);
  const register = body.register(bank);
  body.emit(`mov.b32 ${register}, ${bank === "f" ? body.float(fill) : body.int(fill)};`);
  body.emit(`@${inside} ld.global.nc.b32 ${register}, [${address}];`);
  return register;
}

/** Four elements in a row, at an address that is a multiple of 16. */
export function loadFour(body: Body, bank: "f" | "r", base: string, index: string | undefined): string[] {
  const registers = Array.from({ length: 4 }, () => body.register(bank));
  body.emit(`ld.global.nc.v4.b32 {${registers.join(", ")}}, [${addressOf(body, base, index)}];`);
  return registers;
}

/** The largest and the smallest magnitude that a clamp range has let through or changed, as patterns. */
export class Seen {
  private readonly body: Body;
  private readonly found = new Map<ClampRange, { most: string; least: string }>();

  /** @param ranges those that will be used */
  constructor(body: Body, ranges: Iterable<ClampRange>) {
    this.body = body;
    for (const range of new Set(ranges)) {
      if (range === "none") continue;
      const [most, least] = [body.variable("r"), body.variable("r")];
      body.emit(`mov.b32 ${most}, 0;`);
      body.emit(`mov.b32 ${least}, -1;`);
      this.found.set(range, { most, least });
    }
  }

  /** A word brought into a range (spec 4.3), as a float. */
  ranged(word: string, range: ClampRange): string {
    const { body } = this;
    const seen = this.found.get(range);
    if (!seen) return body.value("f", "mov.b32", word);
    const { most, least } = limitsOf(range);
    const magnitude = body.value("r", "and.b32", word, String(0x7fffffff));
    body.emit(`max.u32 ${seen.most}, ${seen.most}, ${magnitude};`);
    // 0 becomes the largest of all.
    body.emit(`min.u32 ${seen.least}, ${seen.least}, ${body.value("r", "add.s32", magnitude, "-1")};`);
    const capped = body.value("r", "min.u32", magnitude, String(most));
    const signed = body.value("r", "or.b32", capped, body.value("r", "and.b32", word, String(0x80000000 | 0)));
    const isSmall = body.value("p", "setp.lt.u32", magnitude, String(least));
    return body.value("f", "mov.b32", body.value("r", "selp.b32", "0", signed, isSmall));
  }

  /** Tells what the ranges have changed, which is seldom anything. */
  tell(counter: string): void {
    const { body } = this;
    for (const [range, seen] of this.found) {
      const { most, least } = limitsOf(range);
      tell(body, counter, body.fresh("p", "setp.gt.u32", seen.most, String(most)), NOTED.above);
      tell(body, counter, body.fresh("p", "setp.lt.u32", seen.least, String(least - 1)), NOTED.below);
    }
  }
}

function limitsOf(range: ClampRange): { most: number; least: number } {
  const limit = 2 ** RANGE_EXPONENT[range];
  return { most: bitsOf(limit), least: bitsOf(1 / limit) };
}

/** Sets bits of a kernel's counter where a predicate holds. */
export function tell(body: Body, counter: string, predicate: string, bit: number): void {
  body.emit(`@${predicate} red.global.or.b32 [${counter}], ${bit};`);
}
