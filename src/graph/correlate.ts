/**
 * Convolution in its general form, whose gradients are convolutions: one fold over the input's channels and
 * the kernel's axes, for each element of the result.
 */
import type { Shape } from "../encoding/tensor.ts";
import { DOT_STEP } from "../repops/kernels/kernel.ts";
import { defineProgram, float, type Float, type Int } from "../repops/programs/expressions.ts";
import { fold, map, type Operand } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { transpose } from "./ops/transpose.ts";
import { Value } from "./value.ts";
import { viewOf } from "./view.ts";
import { readOver, reversedSliding, type Sliding, windowsOf } from "./windows.ts";

/** The axes before the windows: examples, groups and channels. */
const LEAD = 3;
/** The most phases that one map puts together; programs have eight inputs. */
const MAX_PHASES = 7;

/** The elements of some axes in the reverse order: a view. */
export function reversed(x: Value, axes: readonly number[]): Value {
  const strides = x.strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride));
  const offset = axes.reduce((total, axis) => total + (x.shape[axis] - 1) * x.strides[axis], x.offset);
  return viewOf(x, x.shape, strides, offset, (gradient) => reversed(gradient, axes));
}

/** [groups, outputs, inputs, kernels…] with outputs and inputs exchanged, and all kernels reversed. */
export function turned(weight: Value): Value {
  const kernels = weight.shape.slice(LEAD).map((_, i) => LEAD + i);
  return reversed(transpose(weight, [0, 2, 1, ...kernels]), kernels);
}

/**
 * Σ x·weight over the inputs of a group and a window: f32 [examples, groups, inputs, extents…] and [groups,
 * outputs, inputs, kernels…] → [examples, groups, outputs, windows…].
 * @param axes how windows slide over the last axes of x
 */
export function correlate(x: Value, weight: Value, axes: readonly Sliding[], name: string): Value {
  return byPhases(x, weight, axes, name).withOrigin([x, weight], (gradient) => [
    correlate(gradient, turned(weight), axes.map(reversedSliding), `${name}-input-gradient`),
    weightSlope(x, gradient, axes, weight.shape, name),
  ]);
}

/**
 * Of an operand that is spaced out, most terms of a window are 0. Windows that have the same rest modulo the
 * spacing are computed by a convolution of their own, with the elements of the kernel that do not meet zeros:
 * this has the same bits.
 */
function byPhases(x: Value, weight: Value, axes: readonly Sliding[], name: string): Value {
  const at = axes.findIndex(
    ({ spacing, stride, dilation }) => spacing > 1 && spacing <= MAX_PHASES && stride === 1 && dilation === 1,
  );
  if (at < 0) return direct(x, weight, axes, name);
  const { spacing, before, kernel, windows } = axes[at];
  const count = Math.ceil(windows / spacing);
  const phases = Array.from({ length: spacing }, (_, rest) => {
    const first = (((before - rest) % spacing) + spacing) % spacing;
    const taps = Math.ceil((kernel - first) / spacing);
    if (taps <= 0) return undefined;
    const own = { ...axes[at], spacing: 1, before: (before - rest - first) / spacing, kernel: taps, windows: count };
    return byPhases(x, everyOf(weight, LEAD + at, first, spacing, taps), axes.with(at, own), name);
  });
  const whole = interleaved(phases, LEAD + at, name);
  return slice(whole, LEAD + at, 0, windows);
}

/** Elements first, first + step, … of an axis: a view. */
function everyOf(x: Value, axis: number, first: number, step: number, count: number): Value {
  return new Value(x.builder, x.source, x.dtype, x.shape.with(axis, count), {
    offset: x.offset + first * x.strides[axis],
    strides: x.strides.with(axis, step * x.strides[axis]),
  });
}

/** Element i of an axis from value i modulo their number; zeros where there is no value. */
function interleaved(values: readonly (Value | undefined)[], axis: number, name: string): Value {
  const known = values.filter((value) => value !== undefined);
  const [first] = known;
  const shape = first.shape.toSpliced(axis + 1, 0, values.length);
  const places = shape.map((_, i) => (i === axis + 1 ? -1 : i - (i > axis ? 1 : 0)));
  const choose = defineProgram(`${"f".repeat(known.length)}i`, (...inputs: (Float | Int)[]) => {
    const phase = inputs.at(-1) as Int;
    return values.reduce((rest: Float, value, i) => {
      const own = value ? (inputs[known.indexOf(value)] as Float) : float(0);
      return i === 0 ? own : phase.eq(i).select(own, rest);
    }, float(0));
  });
  const operands: Operand[] = [...known.map((value) => readOver(value, shape, places)), { coordinate: axis + 1 }];
  const all = map(choose, operands, { name, shape });
  return reshape(all, first.shape.with(axis, first.shape[axis] * values.length));
}

/** The axes of `windowsOf` an operand: windows, then kernels. */
const placesOf = (axes: readonly Sliding[]) => ({
  at: axes.map((_, i) => LEAD + i),
  within: axes.map((_, i) => LEAD + axes.length + i),
  none: axes.map(() => -1),
});

/** One group needs no axis: then the folds have the axes that backends know from products. */
const groupAxis = (groups: number): number[] => (groups === 1 ? [] : [0]);

function direct(x: Value, weight: Value, axes: readonly Sliding[], name: string): Value {
  const [examples, groups, inputs] = x.shape;
  const outputs = weight.shape[1];
  const { at, within, none } = placesOf(axes);
  const own = groupAxis(groups);
  const windows = axes.map((axis) => axis.windows);
  const shape = [examples, ...own.map(() => groups), outputs, ...windows];
  const reduce = [inputs, ...axes.map(({ kernel }) => kernel)];
  const space = [...shape, ...reduce];
  const read = windowsOf(x, axes, 0, `${name}-padded`);
  const y = fold(
    DOT_STEP,
    [
      readOver(read, space, [0, ...own.map(() => 1), -1, ...at, 2, ...within]),
      readOver(weight, space, [-1, ...own, 1, ...none, 2, ...at]),
    ],
    { name, shape, reduce, start: 0, clampRange: "dot" },
  );
  return reshape(y, [examples, groups, outputs, ...windows]);
}

/** The gradient of a weight: a fold over examples and windows. */
function weightSlope(x: Value, gradient: Value, axes: readonly Sliding[], shape: Shape, name: string): Value {
  // Of an operand that is spaced out, the elements are folded over, and not the zeros between them.
  if (axes.some(({ spacing }) => spacing > 1) && axes.every(({ stride }) => stride === 1)) {
    const [groups, outputs, inputs, ...kernels] = shape;
    return turned(weightSlope(gradient, x, axes.map(reversedSliding), [groups, inputs, outputs, ...kernels], name));
  }
  const { at, within, none } = placesOf(axes);
  const own = groupAxis(x.shape[1]);
  const ofWeight = shape.slice(1 - own.length);
  const reduce = [x.shape[0], ...axes.map(({ windows }) => windows)];
  const over = [...ofWeight, ...reduce];
  const read = windowsOf(x, axes, 0, `${name}-padded`);
  const slope = fold(
    DOT_STEP,
    [
      readOver(gradient, over, [...own.map(() => 1), 2, -1, ...none, 0, ...at]),
      readOver(read, over, [...own.map(() => 1), -1, 2, ...within, 0, ...at]),
    ],
    { name: `${name}-weight-gradient`, shape: ofWeight, reduce, start: 0, clampRange: "dot" },
  );
  return reshape(slope, shape);
}
