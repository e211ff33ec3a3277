/** The means of windows. */
import { SUM_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram, type Int } from "../../repops/programs/expressions.ts";
import { describe } from "../../errors/arguments.ts";
import { composed } from "../autodiff.ts";
import { COPY } from "../dense.ts";
import { fold, map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { adaptiveSizes, evenPool, unevenMeans } from "../adaptive.ts";
import {
  atElements,
  disjointSpace,
  fromDisjoint,
  isDisjoint,
  planesOf,
  pooled,
  type Pooled,
  type PoolOptions,
  withoutWidth,
} from "../pooling.ts";
import type { Value } from "../value.ts";
import { type PerAxis, reversedSliding, type Sliding, windowsOf } from "../windows.ts";

/** The options of average pooling. */
export interface AvgPoolOptions extends PoolOptions {
  /** Whether a window's padding counts among its elements, as zeros; true. */
  countIncludePad?: boolean;
}

/** The mean of each window. */
function means({ x, slidings, ...pool }: Pooled, includesPadding: boolean, name: string): Value {
  const [examples, channels] = x.shape;
  const [rows, columns] = slidings;
  const shape = [examples, channels, rows.windows, columns.windows];
  const reduce = [rows.kernel, columns.kernel];
  const all = rows.kernel * columns.kernel;
  const counted = defineProgram("fii", (total, i, j) =>
    total.div(
      elementsOf(i, rows, includesPadding)
        .mul(elementsOf(j, columns, includesPadding))
        .toFloat(),
    ),
  );
  const every = defineProgram("f", (total) => total.div(all));
  const isPadded = slidings.some((own) => (own.before > 0 && !includesPadding) || reachesOver(own));
  const divided = (value: Value, label: string): Value =>
    isPadded
      ? map(counted, [value, { coordinate: 2 }, { coordinate: 3 }], { name: label, shape })
      : map(every, [value], { name: label, shape });
  const read = windowsOf(x, slidings, 0, `${name}-padded`);
  const y = divided(fold(SUM_STEP, [read], { name: `${name}-sum`, shape, reduce, start: 0, clampRange: "sum" }), name);
  return y.withOrigin([x], (gradient) => {
    const share = divided(gradient, `${name}-share`);
    const own = { x, slidings, ...pool };
    if (isDisjoint(own)) {
      const space = { name: `${name}-gradient`, shape: disjointSpace(own) };
      return [fromDisjoint(map(COPY.f32, [atElements(share, own, 0)], space), own)];
    }
    const back = windowsOf(share, slidings.map(reversedSliding), 0, `${name}-share-spread`);
    return [fold(SUM_STEP, [back], { name: `${name}-gradient`, shape: x.shape, reduce, start: 0, clampRange: "sum" })];
  });
}

/** Whether the last window ends after the padding. */
const reachesOver = ({ windows, stride, kernel, extent, before }: Sliding): boolean =>
  (windows - 1) * stride + kernel > extent + 2 * before;

/** How many elements window o has, of padding too or without it. What is after the padding never counts. */
function elementsOf(o: Int, { stride, before, kernel, extent }: Sliding, includesPadding: boolean): Int {
  const last = includesPadding ? extent + before : extent;
  const from = o.mul(stride).sub(before);
  const to = from.add(kernel);
  const end = to.lt(last).selectInt(to, last);
  return end.sub(includesPadding ? from : from.lt(0).selectInt(0, from));
}

function avgPool(x: Value, kernel: PerAxis, options: AvgPoolOptions, axes: number, name: string): Value {
  const pool = pooled(x, kernel, options, ["countIncludePad"], axes, name);
  const { countIncludePad = true } = options;
  if (typeof countIncludePad !== "boolean")
    throw pool.refuse(`countIncludePad is ${describe(countIncludePad)}; take true or false`);
  return composed(withoutWidth(means(pool, countIncludePad, name), axes), [x]);
}

function adaptiveAvgPool(x: Value, size: PerAxis, axes: number, name: string): Value {
  const { planes, refuse } = planesOf(x, axes, name);
  const sizes = adaptiveSizes(size, axes, refuse);
  const pool = evenPool(planes, sizes, refuse);
  if (pool) return composed(withoutWidth(means(pool, true, name), axes), [x]);
  const rows = unevenMeans(planes, 2, sizes[0], `${name}-rows`);
  return composed(withoutWidth(unevenMeans(rows, 3, sizes[1], name), axes), [x]);
}

/**
 * The mean of each window of an axis: f32 [examples, channels, length] → [examples, channels, windows].
 * @param kernel the extent of a window
 * @param options `stride`, the kernel; `padding`, 0; `ceilMode`, false: windows that reach over the end
 *   count; `countIncludePad`, true: padding counts, as zeros
 * @param name the label of the operator; "avg-pool1d"
 * @throws {ShapeError} when x has other axes, or a window does not fit
 * @throws {GraphError} when an option is unknown or out of its range
 */
export function avgPool1d(x: Value, kernel: PerAxis, options: AvgPoolOptions = {}, name = "avg-pool1d"): Value {
  return avgPool(x, kernel, options, 1, name);
}

/**
 * The mean of each window of two axes: f32 [examples, channels, height, width] → [examples, channels, rows,
 * columns].
 * @param kernel the extent of a window, or one for each axis
 * @param options `stride`, the kernel; `padding`, 0; `ceilMode`, false: windows that reach over the end
 *   count; `countIncludePad`, true: padding counts, as zeros
 * @param name the label of the operator; "avg-pool2d"
 * @throws as `avgPool1d` does
 */
export function avgPool2d(x: Value, kernel: PerAxis, options: AvgPoolOptions = {}, name = "avg-pool2d"): Value {
  return avgPool(x, kernel, options, 2, name);
}

/**
 * The means of `size` windows that cover an axis: f32 [examples, channels, length] → [examples, channels,
 * size]. Window o is from ⌊o · length / size⌋ to ⌈(o + 1) · length / size⌉.
 * @param name the label of the operator; "adaptive-avg-pool1d"
 * @throws as `avgPool1d` does
 */
export function adaptiveAvgPool1d(x: Value, size: PerAxis, name = "adaptive-avg-pool1d"): Value {
  return adaptiveAvgPool(x, size, 1, name);
}

/**
 * The means of windows that cover two axes: f32 [examples, channels, height, width] → [examples, channels,
 * rows, columns].
 *
 *     const y = adaptiveAvgPool2d(x, 1); // the mean of each channel
 *
 * @param size the number of windows, or one for each axis
 * @param name the label of the operator; "adaptive-avg-pool2d"
 * @throws as `avgPool1d` does
 */
export function adaptiveAvgPool2d(x: Value, size: PerAxis, name = "adaptive-avg-pool2d"): Value {
  return adaptiveAvgPool(x, size, 2, name);
}

const mean = (row: readonly number[]): number => row.reduce((a, b) => a + b) / row.length;

avgPool1d.check = {
  number: 125,
  name: "avg pool1d",
  digests: {
    result: "0xaa8dc3d952f065c9dcd6373da5c2accc1601e16c5e87e4c0bdd859ef08bac219",
    "gradient 0": "0x5b9c7d18ed767c6eb02205b6f468a489784c8c8015442c140988d36d7fd573bf",
  },
  vector: ({ floats }) => ({
    y: avgPool1d(floats(3144, 3, 4, 19), 3, { stride: 2, padding: 1, countIncludePad: false }),
    gradient: floats(3145, 3, 4, 10),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 1, 5] }],
      apply: (x) => avgPool1d(x, 3, { stride: 1 }),
      textbook: (_, x) => [0, 1, 2, 5, 6, 7].map((at) => mean(x.slice(at, at + 3))),
    },
  ],
} satisfies Operator["check"];

avgPool2d.check = {
  number: 126,
  name: "avg pool2d",
  digests: {
    result: "0xc1795f787a666f464f6efd12d3127b1e4b539e5583aae27f64b2b5cbd2c40223",
    "gradient 0": "0x6ede924373eae1acf58e465f09d2b00d36bec11391e9ec3cbd905a7715467ab8",
  },
  vector: ({ floats }) => ({ y: avgPool2d(floats(3146, 3, 4, 9, 8), 2), gradient: floats(3147, 3, 4, 4, 4) }),
  gradient: [
    {
      operands: [{ shape: [1, 1, 4, 5] }],
      apply: (x) => avgPool2d(x, 2),
      textbook: (_, x) => [0, 2, 10, 12].map((at) => mean([x[at], x[at + 1], x[at + 5], x[at + 6]])),
    },
  ],
} satisfies Operator["check"];

adaptiveAvgPool1d.check = {
  number: 127,
  name: "adaptive avg pool1d",
  digests: {
    result: "0x6796d5bc5753a7e3f3b75fe43982e6c4389a68930d8a31173b6cdd8ad23355ed",
    "gradient 0": "0xe0855e8762388e2a70e86bce7c4bd3bf423d09ec2dced217990c97fca08b43fc",
  },
  vector: ({ floats }) => ({ y: adaptiveAvgPool1d(floats(3148, 3, 4, 19), 5), gradient: floats(3149, 3, 4, 5) }),
  gradient: [
    {
      operands: [{ shape: [1, 1, 5] }],
      apply: (x) => adaptiveAvgPool1d(x, 2),
      textbook: (_, x) => [mean(x.slice(0, 3)), mean(x.slice(2))],
    },
  ],
} satisfies Operator["check"];

adaptiveAvgPool2d.check = {
  number: 128,
  name: "adaptive avg pool2d",
  digests: {
    result: "0x6885167d9e86beba08cf1657dd16c8e22f1f4b2d06f840dc8faa9c150a68097c",
    "gradient 0": "0x8def066453bee699392627ea9d35a9a85bc3039ec55bd7e45a232a45face1963",
  },
  vector: ({ floats }) => ({
    y: adaptiveAvgPool2d(floats(3150, 3, 4, 7, 6), [3, 4]),
    gradient: floats(3151, 3, 4, 3, 4),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 1, 3, 2] }],
      apply: (x) => adaptiveAvgPool2d(x, 1),
      textbook: (_, x) => [mean(x.slice(0, 6)), mean(x.slice(6))],
    },
  ],
} satisfies Operator["check"];
