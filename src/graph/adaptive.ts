/** Adaptive pooling: a number of windows that cover an axis, which may differ in their extents by one. */
import type { Refuse } from "../errors/arguments.ts";
import { SCATTER_STEP } from "../repops/kernels/kernel.ts";
import { MAX_VALUE } from "../repops/numbers/vf32.ts";
import { type Bool, defineProgram, int, type Int } from "../repops/programs/expressions.ts";
import { fold, map, type Operand } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { transpose } from "./ops/transpose.ts";
import type { Pooled } from "./pooling.ts";
import { reduceLast } from "./rows.ts";
import type { Value } from "./value.ts";
import { eachAxis, readOver, type Sliding } from "./windows.ts";

/** 0, 1, …: i32 [count]. */
function countUp(x: Value, count: number, name: string): Value {
  return map(ROW, [{ coordinate: 0 }], { name, shape: [count], builder: x.builder });
}

const ROW = defineProgram("i", (row) => row);

/**
 * Whether element `at` of an axis of `extent` is in window `o` of `size` adaptive windows, which are from
 * ⌊o · extent / size⌋ to ⌈(o + 1) · extent / size⌉.
 */
const isWithin = (o: Int, at: Int, extent: number, size: number): Bool =>
  o
    .mul(extent)
    .lt(at.add(1).mul(size))
    .and(at.mul(size).lt(o.add(1).mul(extent)));

/**
 * The extents of adaptive pooling.
 * @param size one number for all axes, or one for each
 */
export function adaptiveSizes(size: unknown, axes: number, refuse: Refuse): [number, number] {
  const [rows, columns = 1] = eachAxis("size", size, axes, 1, refuse);
  return [rows, columns];
}

/** Adaptive windows that all have the same extents, as a pooling; `undefined` where they differ. */
export function evenPool(x: Value, sizes: readonly [number, number], refuse: Refuse): Pooled | undefined {
  const slidings = sizes.map((windows, i): Sliding | undefined => {
    const extent = x.shape[2 + i];
    const kernel = extent / windows;
    return extent % windows === 0
      ? { extent, spacing: 1, before: 0, kernel, stride: kernel, dilation: 1, windows }
      : undefined;
  });
  const [rows, columns] = slidings;
  return rows && columns ? { x, slidings: [rows, columns], refuse } : undefined;
}

/** The greatest elements of windows of different extents: each fold is over the whole plane. */
export function greatestOfUneven(x: Value, [rows, columns]: readonly [number, number], name: string): Value {
  const [examples, channels, height, width] = x.shape;
  const shape = [examples, channels, rows, columns];
  const reduce = [height, width];
  const space = [...shape, ...reduce];
  const read = readOver(x, space, [0, 1, -1, -1, 2, 3]);
  const [i, j] = [height, width].map((count, axis) =>
    readOver(countUp(x, count, `${name}-positions`), space, [-1, -1, -1, -1, axis === 0 ? 0 : -1, axis === 1 ? 0 : -1]),
  );
  const window: Operand[] = [i, j, { coordinate: 2 }, { coordinate: 3 }];
  const step = defineProgram("ffiiii", (acc, value, row, column, o, p) =>
    isWithin(o, row, height, rows)
      .and(isWithin(p, column, width, columns))
      .select(acc.max(value), acc),
  );
  const y = fold(step, [read, ...window], { name, shape, reduce, start: -MAX_VALUE, clampRange: "none" });
  return y.withOrigin([x], (gradient) => {
    const first = defineProgram("iffiiiii", (acc, value, top, row, column, o, p, k) =>
      isWithin(o, row, height, rows)
        .and(isWithin(p, column, width, columns))
        .and(acc.lt(0).and(value.eq(top)))
        .selectInt(k, acc),
    );
    const top = readOver(y, space, [0, 1, 2, 3, -1, -1]);
    const options = { name: `${name}-place`, shape, reduce, start: -1, clampRange: "none" } as const;
    const place = fold(first, [read, top, ...window, "index"], options);
    const planes = [examples * channels, height * width, rows * columns];
    const [at, g] = [place, gradient].map((value) =>
      readOver(reshape(value, [planes[0], planes[2]]), planes, [0, -1, 1]),
    );
    const out = fold(SCATTER_STEP, [at, { coordinate: 1 }, g], {
      name: `${name}-gradient`,
      shape: planes.slice(0, 2),
      reduce: planes.slice(2),
      start: 0,
      clampRange: "sum",
    });
    return [reshape(out, x.shape)];
  });
}

/** The means of `size` adaptive windows of one axis. */
export function unevenMeans(x: Value, axis: number, size: number, name: string): Value {
  const extent = x.shape[axis];
  if (extent === size) return x;
  // The first operand is the window, the second the element: which is folded over differs.
  const forward = defineProgram("ffii", (acc, value, o, at) =>
    isWithin(o, at, extent, size).select(acc.add(value), acc),
  );
  const back = defineProgram("ffii", (acc, value, at, o) => isWithin(o, at, extent, size).select(acc.add(value), acc));
  const count = defineProgram("iii", (acc, o, at) => acc.add(isWithin(o, at, extent, size).selectInt(1, int(0))));
  const over = (value: Value, step: typeof forward, to: number, label: string): Value => {
    const { value: last, shape, reduce } = reduceLast(value, [axis]);
    const result = [...shape, to];
    const places = [...shape.map((_, i) => i), -1, shape.length];
    const read = readOver(last, [...result, ...reduce], places);
    const operands = [read, { coordinate: shape.length }, "index"] as const;
    const y = fold(step, operands, { name: label, shape: result, reduce, start: 0, clampRange: "sum" });
    const order = [...value.shape.keys()].map((i) => (i === axis ? shape.length : i - (i > axis ? 1 : 0)));
    return transpose(y, order);
  };
  const counts = fold(count, [{ coordinate: 0 }, "index"], {
    name: `${name}-count`,
    shape: [size],
    reduce: [extent],
    start: 0,
    clampRange: "none",
    builder: x.builder,
  });
  const share = defineProgram("fi", (total, elements) => total.div(elements.toFloat()));
  const divided = (value: Value, label: string): Value => {
    const places = value.shape.map((_, i) => (i === axis ? 0 : -1));
    return map(share, [value, readOver(counts, value.shape, places)], { name: label, shape: value.shape });
  };
  const y = divided(over(x, forward, size, `${name}-sum`), name);
  return y.withOrigin([x], (gradient) => [over(divided(gradient, `${name}-share`), back, extent, `${name}-gradient`)]);
}
