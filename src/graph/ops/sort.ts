/** Sorted elements, the order that sorts them, the first of them, and the middle one. */
import { checkOptions, describe } from "../../errors/arguments.ts";
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { asOne } from "../as-one.ts";
import { axisBack, rowsAlong } from "../axis-last.ts";
import { type Operator, rowsOf } from "../operator.ts";
import { expectElements, type Reduction, reduction } from "../reduction.ts";
import { type Order, type Pairs, sortColumns, topColumns } from "../sorting.ts";
import { axisOf, expectFloat, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { addAlong } from "./take-along-dim.ts";
import { transpose } from "./transpose.ts";

/** The options of `sort` and `argsort`. */
export interface SortOptions {
  /** Whether the greatest element comes first; false. */
  readonly descending?: boolean;
  /** The label of the operator. */
  readonly name?: string;
}

/** Elements and their indices along the axis from which they come. */
export interface Sorted {
  readonly values: Value;
  /** i32 of the same shape. */
  readonly indices: Value;
}

function orderOf(options: SortOptions | undefined, label: string, key: "descending" | "largest"): Order {
  const given: Record<string, unknown> = { ...options };
  const name = typeof given.name === "string" ? given.name : label;
  if (options !== undefined) checkOptions(options, [key, "name"], settingOf(name));
  const flag = given[key] ?? key === "largest";
  if (typeof flag !== "boolean") throw settingOf(name)(`${key} is ${describe(flag)}; take true or false`);
  return { descending: flag, name };
}

/** The first `count` of sorted columns, on the axis of x; gradients flow back to where the elements were. */
function finish(x: Value, axis: number, { values, indices }: Pairs, count: number, name: string): Sorted {
  const [own, places] = [values, indices].map((value) => transpose(slice(value, 0, 0, count)));
  const back = (gradient: Value): Value =>
    axisBack(addAlong(rowsAlong(gradient, axis), places, x.shape[axis], `${name}-gradient`), x, axis);
  const sorted = axisBack(own, x, axis);
  const result = x.dtype === "f32" ? sorted.withOrigin([x], (gradient) => [back(gradient)]) : sorted;
  return { values: result, indices: axisBack(places, x, axis) };
}

/**
 * Elements in order along an axis, and the index of each before: f32 or i32 [..., n, ...] → the same shape
 * twice. Equal elements keep their order, also where the greatest comes first.
 *
 * For n ≤ 2^p it takes p(p + 1)/2 stages of two maps over 2^p elements, of some 15 instructions: 55 stages
 * for n = 1000, 136 for n = 65536. The gradient is one scatter-add.
 * @param axis counted from the end where negative; -1
 * @param options `{ descending, name }`, `false` and "sort" by default
 * @throws {ShapeError} when the axis does not exist, {GraphError} for other options
 */
export function sort(x: Value, axis = -1, options?: SortOptions): Sorted {
  const order = orderOf(options, "sort", "descending");
  expectValue(x, order.name, "x");
  const at = axisOf(x, axis, order.name);
  return finish(x, at, sortColumns(transpose(rowsAlong(x, at)), order), x.shape[at], order.name);
}

/**
 * The indices that sort an axis: f32 or i32 [..., n, ...] → i32 of the same shape. Equal elements keep their
 * order. It costs what `sort` does. No gradient flows.
 * @param axis counted from the end where negative; -1
 * @param options `{ descending, name }`, `false` and "argsort" by default
 * @throws {ShapeError} when the axis does not exist, {GraphError} for other options
 */
export function argsort(x: Value, axis = -1, options?: SortOptions): Value {
  return sort(x, axis, { ...options, name: orderOf(options, "argsort", "descending").name }).indices;
}

/** The options of `topk`. */
export interface TopkOptions {
  /** Whether the greatest elements are chosen; true. */
  readonly largest?: boolean;
  /** The label of the operator. */
  readonly name?: string;
}

/**
 * The k greatest elements along an axis, greatest first, and their indices: f32 or i32 [..., n, ...] →
 * [..., k, ...] twice. The lowest index wins a tie.
 *
 * For k ≤ 2^q and n ≤ 2^p it takes q(q + 1)/2 stages of two maps over 2^p elements, and q + 1 over half of
 * them, a quarter, and so on: some q(q + 1)/2 + q + 1 times 15 instructions for each of 2^p elements.
 * @param k from 1 to n
 * @param axis counted from the end where negative; -1
 * @param options `{ largest, name }`, `true` and "topk" by default; the least elements come first where
 *   `largest` is false
 * @throws {ShapeError} when the axis does not exist, {GraphError} when k is not whole, or above n
 */
export function topk(x: Value, k: number, axis = -1, options?: TopkOptions): Sorted {
  const order = orderOf(options, "topk", "largest");
  expectValue(x, order.name, "x");
  const at = axisOf(x, axis, order.name);
  const label = x.builder.label(order.name);
  if (x.shape[at] === 0) throw shapeError("OPERANDS", x.builder, order.name, `axis ${axis} of ${x} has no elements`);
  wholeSetting("k", k, { most: x.shape[at] }, settingOf(label));
  return finish(x, at, topColumns(transpose(rowsAlong(x, at)), k, order), k, order.name);
}

/**
 * The median along an axis, which is removed, and its index: f32 [..., n, ...] → f32 and i32 [..., ...]. Of
 * an even number of elements it is the lower one of the two in the middle, as in PyTorch. The gradient flows
 * to it. It costs what `sort` does.
 * @param axis counted from the end where negative; default all elements, with an index in row-major order
 * @param options the label of the operator, "median"; or `{ keepdim, name }`
 * @throws {ShapeError} when x is not f32, the axis does not exist, or there are no elements
 */
export function median(x: Value, axis?: number, options?: string | Reduction): Sorted {
  const label = typeof options === "string" ? options : "median";
  expectValue(x, label, "x");
  const at = axis === undefined ? undefined : axisOf(x, axis, label);
  const reduced = reduction(x, at === undefined ? undefined : [at], options, "median");
  const { name, count } = reduced;
  expectFloat(x, name);
  expectElements(x, reduced);
  const line = at === undefined ? reshape(x, [count]) : x;
  const along = at ?? 0;
  const sorted = sort(line, along, { name });
  const middle = (count - 1) >> 1;
  const finish = (value: Value): Value => {
    const one = slice(value, along, middle, middle + 1);
    return reduced.finish(reshape(one, at === undefined ? [] : x.shape.toSpliced(at, 1)));
  };
  return { values: finish(sorted.values), indices: finish(sorted.indices) };
}

const ascending = (row: readonly number[]): number[] => [...row].sort((a, b) => a - b);

sort.check = {
  number: 200,
  name: "sort",
  digests: {
    result: "0xbfe9f34c5a330f339ea697f3bbc6195083706e030f678c1032c8b346de95e755",
    "gradient 0": "0xba76272303e84f118a53114e95fc7d64759890ff1770af70a452fd3d93cb52ae",
  },
  vector: ({ x, g }) => ({ y: asOne(sort(x, 1, { descending: true }).values), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 5] }],
      apply: (x) => sort(x).values,
      textbook: (_, x) => rowsOf(x, 5).flatMap(ascending),
    },
    {
      title: "along the first axis, greatest first",
      operands: [{ shape: [7, 2] }],
      apply: (x) => sort(x, 0, { descending: true }).values,
      textbook: (_, x) => {
        const columns = [0, 1].map((j) => ascending(x.filter((_, i) => i % 2 === j)).reverse());
        return columns[0].flatMap((value, i) => [value, columns[1][i]]);
      },
    },
  ],
} satisfies Operator["check"];

argsort.check = {
  number: 201,
  name: "argsort",
  digests: {
    result: "0x33c128c9f4b8c103bf2c97666a1e93e07329fbad9bdc40960b151a938257026b",
  },
  vector: ({ classes }) => ({ y: argsort(classes, 0, { descending: true }) }),
  gradient: "none",
} satisfies Operator["check"];

topk.check = {
  number: 202,
  name: "topk",
  digests: {
    result: "0x363b09195470cbcde2e0d3bdddf1ed3547221c557ed4dccdc39dbfef635fa2e7",
    "gradient 0": "0x952165b4d796ed2658fff8bd4a075e35f40e5ac4e8344342a1e23af38089a170",
  },
  vector: ({ x, floats }) => ({ y: asOne(topk(x, 5).values), gradient: floats(3157, 13, 5) }),
  gradient: [
    {
      operands: [{ shape: [2, 11] }],
      apply: (x) => topk(x, 3).values,
      textbook: (_, x) => rowsOf(x, 11).flatMap((row) => ascending(row).reverse().slice(0, 3)),
    },
    {
      title: "the least ones",
      operands: [{ shape: [6, 1] }],
      apply: (x) => topk(x, 2, 0, { largest: false }).values,
      textbook: (_, x) => ascending(x).slice(0, 2),
    },
  ],
} satisfies Operator["check"];

median.check = {
  number: 203,
  name: "median",
  digests: {
    result: "0x9a7f02ada2f397d89961bf7fe955bf2cdf2e7308f3bc3a705dbb096b1a99ed5d",
    "gradient 0": "0x3510f42e024d134f445eca216ad1f466634d9ab9497a297d7c76cbe71f1d71d0",
  },
  vector: ({ x, floats }) => ({ y: asOne(median(x, 0).values), gradient: floats(3158, 37) }),
  gradient: [
    {
      operands: [{ shape: [3, 4] }],
      apply: (x) => median(x, 1).values,
      textbook: (_, x) => rowsOf(x, 4).map((row) => ascending(row)[1]),
    },
  ],
} satisfies Operator["check"];
