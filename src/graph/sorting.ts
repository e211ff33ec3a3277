/**
 * Sorting networks of maps (Batcher's bitonic network, in the form whose comparisons all have one direction).
 * Columns hold pairs of a value and its index. A comparison orders by value, then by index, so no two pairs
 * are equal, and any network gives the same order.
 *
 * Columns are padded to a power of two, 2^p. Sorting is p(p + 1)/2 stages of two maps, for values and for
 * indices, with 5 and 10 instructions an element at most.
 */
import { MAX_VALUE } from "../repops/numbers/vf32.ts";
import { type Bool, defineProgram, type Float, type Int } from "../repops/programs/expressions.ts";
import type { Program } from "../repops/programs/program.ts";
import { type Bounded, map } from "./emit.ts";
import { flip } from "./ops/flip.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import type { Value } from "./value.ts";

/** [n, columns] of each: what is sorted are the columns, and the indices are rows of the unsorted ones. */
export interface Pairs {
  readonly values: Value;
  readonly indices: Value;
}

/** Which pair comes first: that of the greater value, or that of the smaller one. */
export interface Order {
  readonly descending: boolean;
  /** The label of the operator. */
  readonly name: string;
}

/** The programs of a stage for values a and b with indices i and j. */
interface Exchange {
  readonly values: Program;
  readonly indices: Program;
}

type Pair = readonly [a: Float | Int, b: Float | Int];

const isFloats = (pair: Pair): pair is [Float, Float] => pair[0].type === "f";

/** Whether a comes before b by value alone. */
function before(pair: Pair, descending: boolean): Bool {
  if (isFloats(pair)) return descending ? pair[0].gt(pair[1]) : pair[0].lt(pair[1]);
  const [a, b] = pair as [Int, Int];
  return descending ? b.lt(a) : a.lt(b);
}

function first(pair: Pair, i: Int, j: Int, descending: boolean): Bool {
  const equal = isFloats(pair) ? pair[0].eq(pair[1]) : (pair as [Int, Int])[0].eq((pair as [Int, Int])[1]);
  return before(pair, descending).or(equal.and(i.lt(j)));
}

/** Of a pair, the value that comes first, or the other one. */
function chosen(pair: Pair, descending: boolean, low: Bool): Float | Int {
  if (isFloats(pair)) {
    const [least, greatest] = [pair[0].min(pair[1]), pair[0].max(pair[1])];
    return descending ? low.select(greatest, least) : low.select(least, greatest);
  }
  const [a, b] = pair as [Int, Int];
  const own = before(pair, descending);
  return low.selectInt(own.selectInt(a, b), own.selectInt(b, a));
}

/**
 * The programs of all stages. An element with the coordinate 0 is in the lower half, where the first one
 * belongs.
 */
function exchange(dtype: Value["dtype"], descending: boolean): Exchange {
  const pick = (pair: Pair, i: Int, j: Int, half: Int): Int => {
    const own = first(pair, i, j, descending);
    return half.eq(0).selectInt(own.selectInt(i, j), own.selectInt(j, i));
  };
  return dtype === "f32"
    ? {
        values: defineProgram("ffi", (a, b, half) => chosen([a, b], descending, half.eq(0))),
        indices: defineProgram("ffiii", (a, b, i, j, half) => pick([a, b], i, j, half)),
      }
    : {
        values: defineProgram("iii", (a, b, half) => chosen([a, b], descending, half.eq(0))),
        indices: defineProgram("iiiii", (a, b, i, j, half) => pick([a, b], i, j, half)),
      };
}

const both = ({ values, indices }: Pairs, change: (value: Value) => Value): Pairs => ({
  values: change(values),
  indices: change(indices),
});

/**
 * Compares pairs with others: those in the lower half, with the coordinate 0 on axis 1, become the first
 * ones.
 * @param shape that of both: [blocks, halves, span, columns]
 */
function compare(own: Pairs, other: Pairs, shape: readonly number[], { descending, name }: Order): Pairs {
  const programs = exchange(own.values.dtype, descending);
  const half = { coordinate: 1 };
  const indices = [own.values, other.values, own.indices, other.indices, half];
  return {
    values: map(programs.values, [own.values, other.values, half], { name, shape }),
    indices: map(programs.indices, indices, { name: `${name}-index`, shape }),
  };
}

/**
 * Compares each element with the one at the same place of the other half of its block of 2·span, or with its
 * mirror image there.
 */
function stage(pairs: Pairs, span: number, mirrored: boolean, order: Order): Pairs {
  const [n, columns] = pairs.values.shape;
  const shape = [n / (2 * span), 2, span, columns];
  const own = both(pairs, (value) => reshape(value, shape));
  const other = both(own, (value) => flip(value, mirrored ? [1, 2] : [1]));
  return both(compare(own, other, shape, order), (value) => reshape(value, [n, columns]));
}

/** Sorts blocks of 2·span elements that rise and then fall. */
function cleaned(pairs: Pairs, span: number, order: Order): Pairs {
  let sorted = pairs;
  for (let step = span; step >= 1; step /= 2) sorted = stage(sorted, step, false, order);
  return sorted;
}

/** Sorts blocks of `block` elements, a power of two that divides n. */
function sortBlocks(pairs: Pairs, block: number, order: Order): Pairs {
  let sorted = pairs;
  // Against its mirror image, an element meets the one that a reversed upper half would have.
  for (let span = 1; span < block; span *= 2) sorted = cleaned(stage(sorted, span, true, order), span / 2, order);
  return sorted;
}

const powerFrom = (count: number): number => {
  let power = 1;
  while (power < count) power *= 2;
  return power;
};

/** [n, columns] with the numbers of the rows, padded to `length` rows that come last. */
function padded(x: Value, length: number, { descending, name }: Order): Pairs {
  const [n, columns] = x.shape;
  const shape = [length, columns];
  const bounds: Bounded["bounds"] = [
    [0, n],
    [0, columns],
  ];
  const operand: Bounded = { source: x, offset: x.offset, strides: x.strides, bounds, fill: 0 };
  const worst = descending ? -MAX_VALUE : MAX_VALUE;
  const worstInt = descending ? -(2 ** 31) : 2 ** 31 - 1;
  const program =
    x.dtype === "f32"
      ? defineProgram("fi", (value, at) => at.lt(n).select(value, worst))
      : defineProgram("ii", (value, at) => at.lt(n).selectInt(value, worstInt));
  const row = { coordinate: 0 };
  const index = defineProgram("i", (at) => at);
  return {
    values: map(program, [operand, row], { name: `${name}-padded`, shape }),
    indices: map(index, [row], { name: `${name}-rows`, shape, builder: x.builder }),
  };
}

/**
 * Columns sorted, with the rows from which their elements came: [2^p, columns], of which the first n are x's.
 * Columns lie side by side, so that a stage runs along contiguous memory.
 */
export function sortColumns(x: Value, order: Order): Pairs {
  const length = powerFrom(x.shape[0]);
  return sortBlocks(padded(x, length, order), length, order);
}

/**
 * The first k of each sorted column: [2^q, columns] for the least power of two from k. Blocks of 2^q are
 * sorted; then of two blocks the better half stays and is sorted, until one block is left.
 */
export function topColumns(x: Value, k: number, order: Order): Pairs {
  const [n, columns] = x.shape;
  const block = powerFrom(k);
  const length = Math.max(block, powerFrom(n));
  let pairs = sortBlocks(padded(x, length, order), block, order);
  for (let rest = length; rest > block; rest /= 2) {
    const blocks = both(pairs, (value) => reshape(value, [rest / (2 * block), 2, block, columns]));
    const [a, b] = [0, 1].map((half) => both(blocks, (value) => slice(value, 1, half, half + 1)));
    // The first of a rising block against the last of another one: the better ones rise and then fall.
    const mirrored = both(b, (value) => flip(value, [2]));
    const better = compare(a, mirrored, a.values.shape, { ...order, name: `${order.name}-better` });
    const halves = both(better, (value) => reshape(value, [rest / 2, columns]));
    pairs = cleaned(halves, block / 2, order);
  }
  return pairs;
}
