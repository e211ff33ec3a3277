/** Where an invocation reads: its coordinates, and the elements that views read there. */
import type { Shape } from "../../../encoding/tensor.ts";
import type { View } from "../../kernels/view.ts";

export const u32 = (value: number): string => `${value >>> 0}u`;

/**
 * The coordinates of a row-major number as names `prefix0`, `prefix1`, …, as far as the lines after them use
 * them.
 */
export function coordinates(number: string, shape: Shape, prefix: string, users: readonly string[]): string[] {
  const lines: string[] = [];
  let inner = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const name = new RegExp(`\\b${prefix}${axis}\\b`);
    if (users.some((line) => name.test(line)))
      lines.push(`let ${prefix}${axis} = i32((${number} / ${u32(inner)}) % ${u32(Math.max(shape[axis], 1))});`);
    inner *= Math.max(shape[axis], 1);
  }
  return lines;
}

/** The bits that a view reads at the coordinates `names`. */
export function loadBits(
  { offset, strides, bounds, fill = 0 }: View,
  buffer: string,
  names: readonly string[],
): string {
  const terms = strides.flatMap((stride, axis) => (stride === 0 ? [] : [`${names[axis]} * ${stride}`]));
  const address = [`${offset}`, ...terms].join(" + ");
  if (!bounds) return `${buffer}[${address}]`;
  const inside = bounds.map(([from, to], axis) => `(${names[axis]} >= ${from}) & (${names[axis]} < ${to})`).join(" & ");
  // Outside the bounds element 0 is read in place of nothing, and not used.
  return `select(${u32(fill)}, ${buffer}[select(0, ${address}, ${inside})], ${inside})`;
}
