/**
 * Loads of operands that are no plain matrices: places on their axes come from a lane's or a depth's number.
 */
import type { OperandView } from "../../schedule/view-product.ts";
import { u32 } from "./places.ts";

const AXIS_WORDS = 4;

/** The words of a view, after the other parameters of a product. */
export function viewParameters({ lanes, depth, fill }: OperandView): number[] {
  return [fill, ...[...lanes, ...depth].flatMap(({ extent, stride, from, to }) => [extent, stride, from, to])];
}

/** `along(first, axes, index)`: an offset, in elements. `outside` says whether nothing is read there. */
export const ALONG = `var<private> outside: bool;
fn along(first: u32, axes: u32, index: i32) -> i32 {
  var rest = index; var offset = 0;
  outside = false;
  for (var axis = axes; axis > 0u; axis--) {
    let at = first + (axis - 1u) * ${u32(AXIS_WORDS)};
    let extent = bitcast<i32>(zero[at]);
    let place = rest % extent;
    rest = rest / extent;
    offset += place * bitcast<i32>(zero[at + 1u]);
    if (place < bitcast<i32>(zero[at + 2u]) || place >= bitcast<i32>(zero[at + 3u])) { outside = true; }
  }
  return offset;
}`;

/**
 * `loadA4(base, lane, k)` for a view.
 * @param at the word at which its parameters begin
 * @param extent names the number of lanes
 * @param range the arguments of `ranged` after the word
 */
export function loadView(
  name: "A" | "B",
  { lanes, depth }: OperandView,
  { at, buffer, extent, range }: { at: number; buffer: string; extent: string; range: string },
): string {
  const depths = `${u32(at + 1 + AXIS_WORDS * lanes.length)}, ${u32(depth.length)}`;
  return `fn load${name}4(base: i32, lane: i32, k: i32) -> vec4<f32> {
  var x = vec4<f32>(0.0);
  if (k >= depth) { return x; }
  let start = base + along(${depths}, k);
  let nowhere = outside;
  for (var i = 0; i < 4; i++) {
    if (lane + i >= ${extent}) { break; }
    let place = start + along(${u32(at + 1)}, ${u32(lanes.length)}, lane + i);
    if (nowhere || outside) { x[i] = ranged(zero[${at}], ${range}); } else { x[i] = ranged(${buffer}[place], ${range}); }
  }
  return x;
}`;
}
