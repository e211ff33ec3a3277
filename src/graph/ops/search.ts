/** Places in sorted rows, and counts of elements in bins. */
import { ANY, floatSetting, wholeSetting } from "../../repops/numbers/settings.ts";
import { checkOptions, describe } from "../../errors/arguments.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { dense } from "../dense.ts";
import { fold, map } from "../emit.ts";
import { fill } from "../fill.ts";
import type { Operator } from "../operator.ts";
import { builderOf, expectFloat, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { addRows } from "./gather.ts";
import { reshape } from "./reshape.ts";
import { unsqueeze } from "./split.ts";
import { broadcastTo } from "./sum.ts";
import { toInt } from "./to-int.ts";

/** One more where an element of the row comes before the value. */
const STEPS = {
  f32: {
    left: defineProgram("iff", (acc, element, value) => acc.add(element.lt(value).selectInt(1, 0))),
    right: defineProgram("iff", (acc, element, value) => acc.add(value.lt(element).selectInt(0, 1))),
  },
  i32: {
    left: defineProgram("iii", (acc, element, value) => acc.add(element.lt(value).selectInt(1, 0))),
    right: defineProgram("iii", (acc, element, value) => acc.add(value.lt(element).selectInt(0, 1))),
  },
};

/** The options of `searchsorted`. */
export interface SearchOptions {
  /** Whether the place is after elements that are equal, and not before them; false. */
  readonly right?: boolean;
  /** The label of the operator. */
  readonly name?: string;
}

/**
 * The place of each value in a sorted row: how many of the row's elements are less, or not greater where
 * `right` is set. f32 or i32 [n] and [...], or [..., n] and [..., m] → i32 of the shape of the values.
 *
 * It counts, so it takes 3 · n instructions a value. The row has to be in order; else it is still a count.
 * @param rows in ascending order: one row, or one for each row of the values
 * @param options `{ right, name }`, `false` and "searchsorted" by default
 * @throws {ShapeError} when the dtypes differ, or the rows do not fit the values
 * @throws {GraphError} when the operands belong to two graphs, or for other options
 */
export function searchsorted(rows: Value, values: Value, options: SearchOptions = {}): Value {
  checkOptions(options, ["right", "name"], settingOf("searchsorted"));
  const { right = false, name = "searchsorted" } = options;
  const builder = builderOf(name, { rows, values });
  if (typeof right !== "boolean") throw settingOf(name)(`right is ${describe(right)}; take true or false`);
  const one = rows.rank === 1;
  if (rows.dtype !== values.dtype || rows.rank === 0 || !(one || sameLead(rows, values)))
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `places of ${values} in ${rows}; give one sorted row of its dtype, or one for each row`,
    );
  const n = rows.shape[rows.rank - 1];
  const space = [...values.shape, n];
  const wide = broadcastTo(one ? rows : unsqueeze(rows, -2), space);
  const step = STEPS[values.dtype][right ? "right" : "left"];
  const operands = [wide, broadcastTo(unsqueeze(values, -1), space)];
  return fold(step, operands, { name, shape: values.shape, reduce: [n], start: 0, clampRange: "none" });
}

const sameLead = (a: Value, b: Value): boolean =>
  a.rank === b.rank && a.shape.slice(0, -1).join() === b.shape.slice(0, -1).join();

/**
 * How often each number from 0 to length - 1 occurs: i32 [...] → i32 [length]; with weights the sum of
 * theirs, in order: f32 [length]. Other numbers are not counted. PyTorch's length depends on the data, and
 * ours can't.
 *
 * A count is a sum of ones, so it takes at most 2^22 elements. No gradient flows.
 * @param weights f32 like x
 * @param name the label of the operator; "bincount"
 * @throws {ShapeError} when x is not i32, the weights do not fit, or there are more than 2^22 elements
 * @throws {GraphError} when the length is not whole
 */
export function bincount(x: Value, length: number, weights?: Value, name = "bincount"): Value {
  const builder = weights === undefined ? builderOf(name, { x }) : builderOf(name, { x, weights });
  wholeSetting("the length", length, {}, settingOf(builder.label(name)));
  if (weights) expectFloat(weights, name, "weights");
  if (x.dtype !== "i32" || (weights && weights.shape.join() !== x.shape.join()))
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `counts of ${x}${weights ? ` with weights ${weights}` : ""}; give i32, and a weight for each`,
    );
  const count = [elementCount(x.shape)];
  const index = reshape(dense(x, `${name}-index`), count);
  const terms = weights ? reshape(weights, count) : fill(builder, count, 1, `${name}-ones`);
  const sums = addRows(terms, index, [length], name);
  return weights ? sums : toInt(sums);
}

/**
 * How many elements fall into each of `bins` ranges of one width from `min` to `max`: f32 [...] → f32 [bins],
 * as in PyTorch. Element x is in bin ⌊(x - min) · (bins / (max - min))⌋, computed in f32; `max` itself is in
 * the last one. Elements outside are not counted.
 *
 * At most 2^22 elements. No gradient flows.
 * @param bins a whole number from 1
 * @param min a vf32
 * @param max a vf32 above `min`
 * @param name the label of the operator; "histc"
 * @throws {ShapeError} when x is not f32 or has more than 2^22 elements, {GraphError} for other numbers
 */
export function histc(x: Value, bins: number, min: number, max: number, name = "histc"): Value {
  expectValue(x, name, "x");
  expectFloat(x, name);
  const refuse = settingOf(x.builder.label(name));
  wholeSetting("the number of bins", bins, { most: 2 ** 23 }, refuse);
  floatSetting("min", min, ANY, refuse);
  floatSetting("max", max, { above: min }, refuse);
  const scale = floatSetting("bins / (max - min)", bins / (max - min), ANY, refuse);
  const place = defineProgram("f", (value) => {
    const at = value
      .sub(min)
      .mul(scale)
      .floor()
      .min(bins - 1)
      .toI32();
    return value.lt(min).or(value.gt(max)).selectInt(-1, at);
  });
  const count = [elementCount(x.shape)];
  const index = map(place, [x], { name: `${name}-bin`, shape: x.shape });
  return addRows(fill(x.builder, count, 1, `${name}-ones`), reshape(index, count), [bins], name);
}

searchsorted.check = {
  number: 208,
  name: "searchsorted",
  digests: {
    result: "0x7e64e84e50aac12f059ed6afc35e240ceb6bb25df8347ff5b0576fd5f2ca46de",
  },
  vector: ({ x, g }) => ({ y: searchsorted(x, g, { right: true }) }),
  gradient: "none",
} satisfies Operator["check"];

bincount.check = {
  number: 209,
  name: "bincount",
  digests: {
    result: "0xc5c38486796a617e7ce4702ee7fc733b25c69b505f40035c18d4d1ac18fdd30c",
  },
  vector: ({ classes }) => ({ y: bincount(classes, 37) }),
  gradient: "none",
} satisfies Operator["check"];

histc.check = {
  number: 210,
  name: "histc",
  digests: {
    result: "0x8db9996b2a20b02378df5491dc47794511f1f1b1afc076774aff423459636a9c",
  },
  vector: ({ x }) => ({ y: histc(x, 10, -4, 4) }),
  gradient: "none",
} satisfies Operator["check"];
