/** Axes of an iteration space as loops: fewer of them where memory allows it. */

/**
 * Without extents of 1, and with neighbours joined where every stride goes on from one to the other.
 * @param stridesOf all strides of an axis, of the output and the operands
 * @param apart axes that stay loops of their own
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
