/** The greatest elements of windows. */
import { SCATTER_STEP } from "../../repops/kernels/kernel.ts";
import { MAX_BITS, MAX_VALUE } from "../../repops/numbers/vf32.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { composed } from "../autodiff.ts";
import { fold, map, type Operand } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { adaptiveSizes, evenPool, greatestOfUneven } from "../adaptive.ts";
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
import { type PerAxis, readOver, reversedSliding, windowsOf } from "../windows.ts";

/** The options of max pooling. */
export interface MaxPoolOptions extends PoolOptions {
  /** From one element of a window to the next; 1. */
  dilation?: PerAxis;
}

const MAX_STEP = defineProgram("ff", (acc, x) => acc.max(x));
/** An index that no element has. Its bits are a vf32, so that it can be a fill. */
const NOWHERE = MAX_BITS;

/** The greatest element of each window. */
function greatest(pool: Pooled, name: string): Value {
  const { x, slidings } = pool;
  const [examples, channels] = x.shape;
  const [rows, columns] = slidings;
  const read = windowsOf(x, slidings, -MAX_VALUE, `${name}-padded`);
  const shape = [examples, channels, rows.windows, columns.windows];
  const reduce = [rows.kernel, columns.kernel];
  const y = fold(MAX_STEP, [read], { name, shape, reduce, start: -MAX_VALUE, clampRange: "none" });
  return y.withOrigin([x], (gradient) => {
    const last = rows.kernel * columns.kernel - 1;
    // Counted from the end, because the windows of an element's gradient are in the reverse order.
    const first = defineProgram("iffi", (acc, value, top, k) =>
      acc
        .lt(0)
        .and(value.eq(top))
        .selectInt(k.xor(-1).add(last + 1), acc),
    );
    const top = readOver(y, read.shape, [0, 1, 2, 3, -1, -1]);
    const options = { name: `${name}-place`, shape, reduce, start: -1, clampRange: "none" } as const;
    const place = fold(first, [read, top, "index"], options);
    return [isDisjoint(pool) ? toDisjoint(gradient, place, pool, last, name) : toWindows(gradient, place, pool, name)];
  });
}

/** Each window's gradient at the element that was its greatest, 0 elsewhere. */
function toDisjoint(gradient: Value, place: Value, pool: Pooled, last: number, name: string): Value {
  const width = pool.slidings[1].kernel;
  const choose = defineProgram("ifii", (at, g, i, j) => at.add(i.mul(width).add(j)).eq(last).select(g, 0));
  const operands: Operand[] = [
    atElements(place, pool, NOWHERE),
    atElements(gradient, pool, 0),
    { coordinate: 3 },
    { coordinate: 5 },
  ];
  return fromDisjoint(map(choose, operands, { name: `${name}-gradient`, shape: disjointSpace(pool) }), pool);
}

/** The sum of the gradients of the windows of which an element is the greatest. */
function toWindows(gradient: Value, place: Value, { x, slidings }: Pooled, name: string): Value {
  const back = slidings.map(reversedSliding);
  const at = windowsOf(place, back, NOWHERE, `${name}-place-spread`);
  const g = windowsOf(gradient, back, 0, `${name}-gradient-spread`);
  return fold(SCATTER_STEP, [at, "index", g], {
    name: `${name}-gradient`,
    shape: x.shape,
    reduce: slidings.map(({ kernel }) => kernel),
    start: 0,
    clampRange: "sum",
  });
}

function maxPool(x: Value, kernel: PerAxis, options: MaxPoolOptions, axes: number, name: string): Value {
  const pool = pooled(x, kernel, options, ["dilation"], axes, name);
  return composed(withoutWidth(greatest(pool, name), axes), [x]);
}

function adaptiveMaxPool(x: Value, size: PerAxis, axes: number, name: string): Value {
  const { planes, refuse } = planesOf(x, axes, name);
  const sizes = adaptiveSizes(size, axes, refuse);
  const pool = evenPool(planes, sizes, refuse);
  const y = pool ? greatest(pool, name) : greatestOfUneven(planes, sizes, name);
  return composed(withoutWidth(y, axes), [x]);
}

/**
 * The greatest element of each window of an axis: f32 [examples, channels, length] → [examples, channels,
 * windows]. The gradient flows to the first element that is the greatest.
 * @param kernel the extent of a window
 * @param options `stride`, the kernel; `padding`, 0; `dilation`, 1; `ceilMode`, false: windows that reach
 *   over the end count
 * @param name the label of the operator; "max-pool1d"
 * @throws {ShapeError} when x has other axes, or a window does not fit
 * @throws {GraphError} when an option is unknown or out of its range
 */
export function maxPool1d(x: Value, kernel: PerAxis, options: MaxPoolOptions = {}, name = "max-pool1d"): Value {
  return maxPool(x, kernel, options, 1, name);
}

/**
 * The greatest element of each window of two axes: f32 [examples, channels, height, width] → [examples,
 * channels, rows, columns]. The gradient flows to the first element that is the greatest, by rows.
 * @param kernel the extent of a window, or one for each axis
 * @param options `stride`, the kernel; `padding`, 0; `dilation`, 1; each a number or one for each axis;
 *   `ceilMode`, false
 * @param name the label of the operator; "max-pool2d"
 * @throws as `maxPool1d` does
 */
export function maxPool2d(x: Value, kernel: PerAxis, options: MaxPoolOptions = {}, name = "max-pool2d"): Value {
  return maxPool(x, kernel, options, 2, name);
}

/**
 * The greatest elements of `size` windows that cover an axis: f32 [examples, channels, length] → [examples,
 * channels, size]. Window o is from ⌊o · length / size⌋ to ⌈(o + 1) · length / size⌉.
 * @param name the label of the operator; "adaptive-max-pool1d"
 * @throws as `maxPool1d` does
 */
export function adaptiveMaxPool1d(x: Value, size: PerAxis, name = "adaptive-max-pool1d"): Value {
  return adaptiveMaxPool(x, size, 1, name);
}

/**
 * The greatest elements of windows that cover two axes: f32 [examples, channels, height, width] → [examples,
 * channels, rows, columns].
 *
 *     const y = adaptiveMaxPool2d(x, 1); // the greatest element of each channel
 *
 * @param size the number of windows, or one for each axis
 * @param name the label of the operator; "adaptive-max-pool2d"
 * @throws as `maxPool1d` does
 */
export function adaptiveMaxPool2d(x: Value, size: PerAxis, name = "adaptive-max-pool2d"): Value {
  return adaptiveMaxPool(x, size, 2, name);
}

const top = (row: readonly number[]): number => row.reduce((a, b) => Math.max(a, b));

maxPool1d.check = {
  number: 121,
  name: "max pool1d",
  digests: {
    result: "0x1fedf47a8e599bcb88e640481928e6e07580b579e9a87d909819247daef29b27",
    "gradient 0": "0xda9d56c0872c3f757d561e5bdc68cf4ead842ba8336ded33f809270c0780888b",
  },
  vector: ({ floats }) => ({
    y: maxPool1d(floats(3136, 3, 4, 19), 3, { stride: 2, padding: 1 }),
    gradient: floats(3137, 3, 4, 10),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 1, 5] }],
      apply: (x) => maxPool1d(x, 2, { stride: 1 }),
      textbook: (_, x) => [0, 5].flatMap((at) => [0, 1, 2, 3].map((i) => top([x[at + i], x[at + i + 1]]))),
    },
  ],
} satisfies Operator["check"];

maxPool2d.check = {
  number: 122,
  name: "max pool2d",
  digests: {
    result: "0xfdb9f34e991fdd1f8eb7cf366e265a082a07c21bab342dcea7e203c8f3f1766f",
    "gradient 0": "0x6dc28a4572671427bb86469e44e358be6abd54426d5a3f1fea958b16134ba562",
  },
  vector: ({ floats }) => ({ y: maxPool2d(floats(3138, 3, 4, 9, 8), 2), gradient: floats(3139, 3, 4, 4, 4) }),
  gradient: [
    {
      operands: [{ shape: [1, 1, 4, 5] }],
      apply: (x) => maxPool2d(x, 2),
      textbook: (_, x) => [0, 2, 10, 12].map((at) => top([x[at], x[at + 1], x[at + 5], x[at + 6]])),
    },
  ],
} satisfies Operator["check"];

adaptiveMaxPool1d.check = {
  number: 123,
  name: "adaptive max pool1d",
  digests: {
    result: "0xbc6143a7d499e1df869d1da32a98b2668d5cc0852f55452c419577a807d36dcc",
    "gradient 0": "0x27ef36939f875a92afc99176e723fa0ee0d8aadb08ea18e204202d162b1b96b3",
  },
  vector: ({ floats }) => ({ y: adaptiveMaxPool1d(floats(3140, 3, 4, 19), 5), gradient: floats(3141, 3, 4, 5) }),
  gradient: [
    {
      operands: [{ shape: [1, 1, 5] }],
      apply: (x) => adaptiveMaxPool1d(x, 2),
      textbook: (_, x) => [top(x.slice(0, 3)), top(x.slice(2))],
    },
  ],
} satisfies Operator["check"];

adaptiveMaxPool2d.check = {
  number: 124,
  name: "adaptive max pool2d",
  digests: {
    result: "0xd72d414b11e6a187cb19a5e254c53c923036ee30aeeee3e22b8c14e12c453643",
    "gradient 0": "0xec1911aef6e515c05cc353a6ac6bb2af9161af9d9cc7787f36d16fb3ae60273f",
  },
  vector: ({ floats }) => ({
    y: adaptiveMaxPool2d(floats(3142, 3, 4, 7, 6), [3, 4]),
    gradient: floats(3143, 3, 4, 3, 4),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 1, 3, 2] }],
      apply: (x) => adaptiveMaxPool2d(x, 1),
      textbook: (_, x) => [top(x.slice(0, 6)), top(x.slice(6))],
    },
  ],
} satisfies Operator["check"];
