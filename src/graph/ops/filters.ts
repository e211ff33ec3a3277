/** Logits of which only the likeliest are kept, as text is sampled. */
import { floatSetting, wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { fold, map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { cumsum } from "./scan.ts";
import { sort, topk } from "./sort.ts";
import { softmax, softmaxRow } from "./softmax.ts";
import { select, unsqueeze } from "./split.ts";
import { perRow } from "./sum.ts";
import { takeAlongDim } from "./take-along-dim.ts";

/** What a class that is not kept gets: no share in a softmax, and still a number that can be divided. */
const DROPPED = -(2 ** 100);

/** x where it is not after the last one that is kept, in descending order with the lowest index first. */
const KEEP = defineProgram("ffii", (x, least, at, last) =>
  least
    .lt(x)
    .or(x.eq(least).and(last.lt(at).not()))
    .select(x, DROPPED),
);
const KEEP_GRADIENT = defineProgram("fffii", (gradient, x, least, at, last) =>
  least
    .lt(x)
    .or(x.eq(least).and(last.lt(at).not()))
    .select(gradient, 0),
);

/** @param least, last the value and the index of the last class that is kept, of each row */
function kept(x: Value, least: Value, last: Value, name: string): Value {
  const rest = [x, perRow(least, x), { coordinate: x.rank - 1 }, perRow(last, x)];
  const y = map(KEEP, rest, { name, shape: x.shape });
  return y.withOrigin([x], (gradient) => [
    map(KEEP_GRADIENT, [gradient, ...rest], { name: `${name}-gradient`, shape: x.shape }),
  ]);
}

function rowLength(x: Value, name: string): number {
  expectFloat(x, name, "logits");
  if (x.rank === 0 || x.shape[x.rank - 1] === 0)
    throw shapeError("AXIS", x.builder, name, `takes rows of classes, not ${x}; give it an axis`);
  return x.shape[x.rank - 1];
}

/**
 * The k greatest logits of each row; the others become -2^100, which has no share in a softmax: f32 [..., n]
 * → the same shape. Exactly k are kept: the lowest index wins a tie. It costs what `topk` does.
 * @param k from 1 to n
 * @param name the label of the operator; "top-k-filter"
 * @throws {ShapeError} when the logits are no rows of f32, {GraphError} when k is not whole, or above n
 */
export function topKFilter(logits: Value, k: number, name = "top-k-filter"): Value {
  const n = rowLength(logits, name);
  wholeSetting("k", k, { most: n }, settingOf(logits.builder.label(name)));
  const { values, indices } = topk(logits, k, -1, { name: `${name}-topk` });
  const [least, last] = [values, indices].map((value) => select(value, -1, k - 1));
  return kept(logits, least, last, name);
}

/**
 * The likeliest logits of each row whose shares in its softmax add up to p at least, and no more of them; the
 * others become -2^100: f32 [..., n] → the same shape. A class is kept if the shares before it, in descending
 * order with the lowest index first, add up to less than p; so the first one always is. The sums are those of
 * `cumsum`. It costs what `sort` does.
 * @param p above 0, up to 1
 * @param name the label of the operator; "top-p-filter"
 * @throws {ShapeError} when the logits are no rows of f32, {GraphError} when p is out of its range
 */
export function topPFilter(logits: Value, p: number, name = "top-p-filter"): Value {
  const n = rowLength(logits, name);
  floatSetting("p", p, { above: 0, most: 1 }, settingOf(logits.builder.label(name)));
  const { values, indices } = sort(logits, -1, { descending: true, name: `${name}-sort` });
  const shares = softmax(values, -1, `${name}-shares`);
  const before = defineProgram("iff", (acc, sum, share) => acc.add(sum.sub(share).lt(p).selectInt(1, 0)));
  const sums = cumsum(shares, -1, `${name}-sums`);
  const lead = logits.shape.slice(0, -1);
  const options = { name: `${name}-count`, shape: lead, reduce: [n], start: -1, clampRange: "none" } as const;
  const place = unsqueeze(fold(before, [sums, shares], options), -1);
  const [least, last] = [values, indices].map((value) => select(takeAlongDim(value, place, -1, `${name}-last`), -1, 0));
  return kept(logits, least, last, name);
}

/** The softmax of a row without the logits below one. */
const sharesFrom = (m: Textbook, row: readonly number[], least: number): number[] =>
  softmaxRow(
    m,
    row.map((x) => (x < least ? -1000 : x)),
  );

topKFilter.check = {
  number: 226,
  name: "top k filter",
  digests: {
    result: "0xcdc299920b171ceb71d67738cc60a2d8b0ca014d4e0ec5b10974e166b7f4a286",
    "gradient 0": "0x5c97a889e87a0a818a249c3d071303f0bfd75c67326b5c3c875ef5b5150d49ab",
  },
  vector: ({ x, g }) => ({ y: topKFilter(x, 5), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 4] }],
      apply: (x) => softmax(topKFilter(x, 2)),
      textbook: (m, x) => rowsOf(x, 4).flatMap((row) => sharesFrom(m, row, [...row].sort((a, b) => b - a)[1])),
    },
  ],
} satisfies Operator["check"];

topPFilter.check = {
  number: 227,
  name: "top p filter",
  digests: {
    result: "0x76d67d4ed923ab99eb5db7414aa1e532119fe569bc821dc8f067ed38896d2496",
    "gradient 0": "0xb2580902a06209db29fbd795b7e6fac5823bd06b84ea6641dea6a93ecfd8c7fb",
  },
  vector: ({ x, g }) => ({ y: topPFilter(x, 0.9), gradient: g }),
  gradient: [
    {
      title: "where all but the least are kept",
      operands: [{ shape: [2, 3] }],
      apply: (x) => softmax(topPFilter(x, 0.7)),
      textbook: (m, x) => rowsOf(x, 3).flatMap((row) => sharesFrom(m, row, [...row].sort((a, b) => b - a)[1])),
    },
  ],
} satisfies Operator["check"];
