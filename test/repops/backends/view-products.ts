/**
 * Products of views, as kernels: a convolution, its gradients, and random ones, whose axes have any strides
 * and bounds.
 */
import fc from "fast-check";
import type { Tensor } from "../../../src/encoding/tensor.ts";
import { type Arg, DOT_STEP, type FoldKernel } from "../../../src/repops/kernels/kernel.ts";
import { addressRange, type View } from "../../../src/repops/kernels/view.ts";
import { fromBits } from "../../../src/repops/numbers/vf32.ts";
import { floatBits } from "../inputs.ts";
import type { Case } from "../kernels.ts";

const SEED = 20261129;

/** An axis of the iteration space: its extent, and how each operand is read along it. */
interface Axis {
  extent: number;
  strides: [number, number];
  bounds?: [[number, number], [number, number]];
}

export interface ViewProduct {
  name: string;
  outer: Axis[];
  depth: Axis[];
  fill?: number;
}

const axis = (extent: number, a: number, b: number): Axis => ({ extent, strides: [a, b] });

interface Convolution {
  batch: number;
  groups: number;
  channels: number;
  filters: number;
  /** Of the output. */
  height: number;
  width: number;
  /** Of the kernel. */
  rows: number;
  columns: number;
  stride: number;
  dilation: number;
}

/**
 * The convolution of a padded image [batch, groups, channels, ·, ·] with filters [groups, filters, channels,
 * rows, columns], the gradients of both, and the same with channels last.
 */
export function convolutions(c: Convolution): ViewProduct[] {
  const name = JSON.stringify(c);
  const { batch, groups, channels, filters, height, width, rows, columns, stride, dilation } = c;
  const side = (extent: number, kernel: number): number => (extent - 1) * stride + (kernel - 1) * dilation + 1;
  const [h, w] = [side(height, rows), side(width, columns)];
  const taps = rows * columns;
  const area = height * width;
  return [
    {
      name: `convolution ${name}`,
      outer: [
        axis(batch, groups * channels * h * w, 0),
        axis(groups, channels * h * w, filters * channels * taps),
        axis(filters, 0, channels * taps),
        axis(height, stride * w, 0),
        axis(width, stride, 0),
      ],
      depth: [axis(channels, h * w, taps), axis(rows, dilation * w, columns), axis(columns, dilation, 1)],
    },
    {
      name: `convolution, channels last ${name}`,
      outer: [
        axis(batch, h * w * channels, 0),
        axis(height, stride * w * channels, 0),
        axis(width, stride * channels, 0),
        axis(filters, 0, 1),
      ],
      depth: [
        axis(rows, dilation * w * channels, columns * channels * filters),
        axis(columns, dilation * channels, channels * filters),
        axis(channels, 1, filters),
      ],
    },
    {
      name: `gradient of the filters ${name}`,
      outer: [
        axis(groups, channels * h * w, filters * area),
        axis(filters, 0, area),
        axis(channels, h * w, 0),
        axis(rows, dilation * w, 0),
        axis(columns, dilation, 0),
      ],
      depth: [
        axis(batch, groups * channels * h * w, groups * filters * area),
        axis(height, stride * w, width),
        axis(width, stride, 1),
      ],
    },
    {
      // The gradient of the output is padded, and the filters are read backwards.
      name: `gradient of the image ${name}`,
      outer: [
        axis(batch, groups * filters * h * w, 0),
        axis(groups, filters * h * w, filters * channels * taps),
        axis(channels, 0, taps),
        axis(height, w, 0),
        axis(width, 1, 0),
      ],
      depth: [axis(filters, h * w, channels * taps), axis(rows, dilation * w, -columns), axis(columns, dilation, -1)],
    },
  ];
}

/** On numbers of every magnitude. */
export function kernelOf({ outer, depth, fill }: ViewProduct, seed: number): Case {
  const next = floatBits(seed);
  const axes = [...outer, ...depth];
  const space = axes.map(({ extent }) => extent);
  const inputs: Tensor[] = [];
  const arg = (i: 0 | 1): Arg => {
    const strides = axes.map((one) => one.strides[i]);
    const whole = space.map((extent): [number, number] => [0, extent]);
    const [low, high] = addressRange({ offset: 0, strides }, whole)!;
    const data = new Float32Array(high - low + 1);
    for (let at = 0; at < data.length; at++) data[at] = fromBits(next());
    inputs.push({ dtype: "f32", shape: [data.length], data });
    const isBounded = axes.some(({ bounds }) => bounds);
    const view: View = {
      offset: -low,
      strides,
      ...(isBounded && { bounds: axes.map(({ bounds }, k) => bounds?.[i] ?? whole[k]), fill: fill ?? 0 }),
    };
    return { kind: "operand", tensor: i, view, clampRange: "dot" };
  };
  const args = [arg(0), arg(1)];
  const type = { dtype: "f32" as const, shape: outer.map(({ extent }) => extent) };
  const reduce = depth.map(({ extent }) => extent);
  const kernel: FoldKernel = { kind: "fold", type, program: DOT_STEP, start: 0, reduce, args };
  return { list: { inputs: inputs.map(({ dtype, shape }) => ({ dtype, shape })), kernels: [kernel] }, inputs };
}

const stride = fc.constantFrom(1, 1, 2, 3, 5, 7, 12, -1, -4);
const bound = (extent: number) => fc.tuple(fc.constantFrom(0, 0, 0, 1, 2), fc.constantFrom(extent, extent, extent - 1, 2)); // prettier-ignore
const axisOf = (side: "a" | "b" | "both", bounded: boolean): fc.Arbitrary<Axis> =>
  fc.constantFrom(1, 2, 3, 4, 5, 9, 17).chain((extent) => {
    const all: [number, number] = [0, extent];
    const strides = fc.tuple(side === "b" ? fc.constant(0) : stride, side === "a" ? fc.constant(0) : stride);
    const bounds = fc.tuple(
      side === "b" ? fc.constant(all) : bound(extent),
      side === "a" ? fc.constant(all) : bound(extent),
    );
    return bounded
      ? fc.record({ extent: fc.constant(extent), strides, bounds })
      : fc.record({ extent: fc.constant(extent), strides });
  });
const some = (side: "a" | "b" | "both", least: number, bounded: boolean): fc.Arbitrary<Axis[]> =>
  fc.array(axisOf(side, bounded), { minLength: least, maxLength: 2 });
const random: fc.Arbitrary<ViewProduct> = fc.boolean().chain((bounded) =>
  fc
    .tuple(
      fc.constantFrom<"a" | "b">("a", "b"),
      some("both", 0, false),
      some("a", 1, bounded),
      some("b", 1, bounded),
      fc.array(axisOf("both", bounded), { minLength: 1, maxLength: 3 }),
      fc.constantFrom(0, 0x3f800000, 0xff000000, 0x1f000000),
    )
    .map(([first, batch, a, b, depth, fill]) => ({
      name: "random",
      outer: [...batch, ...(first === "a" ? [...a, ...b] : [...b, ...a])],
      depth,
      fill,
    })),
);

const convolution: Convolution = {
  batch: 2,
  groups: 2,
  channels: 3,
  filters: 7,
  height: 5,
  width: 6,
  rows: 3,
  columns: 3,
  stride: 1,
  dilation: 1,
};

/** The reference takes too long for larger ones. */
const isSmall = ({ outer, depth }: ViewProduct): boolean =>
  [...outer, ...depth].reduce((count, { extent }) => count * extent, 1) <= 20_000;

/** Awkward convolutions with their gradients, then random products. */
export const PRODUCTS: readonly ViewProduct[] = [
  ...convolutions(convolution),
  ...convolutions({ ...convolution, groups: 1, stride: 2, dilation: 3, width: 13, columns: 2 }),
  ...convolutions({ ...convolution, batch: 1, filters: 20, height: 1, width: 37, rows: 1, columns: 5, stride: 3 }),
  ...convolutions({ ...convolution, batch: 3, groups: 1, channels: 33, filters: 31, height: 4, width: 4 }),
  ...fc.sample(random.filter(isSmall), { seed: SEED, numRuns: 150 }),
];
