/** Turns the axes of an iteration space into loops, and joins axes where memory allows it. */

/**
 * Removes extents of 1, and joins neighbouring axes where all strides continue from one axis to the other.
 * @param stridesOf all strides of an axis, of the output and the operands
 * @param apart axes that are not joined with others
 */
export function joinAxes<Axis extends { extent: number }>(
  axes: readonly Axis[],
  stridesOf: (axis: Axis) => readonly number[],
  apart: (axis: Axis) => boolean = () => false,
): Axis[] {
  const out: Axis[] = [];
  for (const axis of axes) {
    if (axis.extent === 1) continue;
    const before = out[out.length - 1];
    const inner = stridesOf(axis);
    const goesOn =
      before &&
      !apart(before) &&
      !apart(axis) &&
      stridesOf(before).every((stride, i) => stride === inner[i] * axis.extent);
    if (goesOn) out[out.length - 1] = { ...axis, extent: before.extent * axis.extent };
    else out.push(axis);
  }
  return out;
}
