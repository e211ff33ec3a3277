/** Tensors cut along an axis, and laid on one another. */
import { describe } from "../../errors/arguments.ts";
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { asOne } from "../as-one.ts";
import type { Operator } from "../operator.ts";
import { argumentError, axisOf, builderOf, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { concat } from "./concat.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";

/**
 * A tensor in pieces along an axis. They are views.
 * @param sizes the extent of each piece, which add up to the extent of the axis; or one number, the extent of
 *   all pieces but the last, which may be shorter
 * @param axis counted from the end where negative; 0
 * @throws {ShapeError} when the axis does not exist, or the sizes do not add up to its extent
 * @throws {GraphError} when a size is not whole, or negative
 */
export function split(x: Value, sizes: number | readonly number[], axis = 0): Value[] {
  expectValue(x, "split", "x");
  const at = axisOf(x, axis, "split");
  const extent = x.shape[at];
  const refuse = settingOf(x.builder.label("split"));
  if (!Array.isArray(sizes)) {
    const size = wholeSetting("the size of a piece", sizes, {}, refuse);
    const starts = Array.from({ length: Math.max(1, Math.ceil(extent / size)) }, (_, i) => i * size);
    return starts.map((start) => slice(x, at, start, Math.min(start + size, extent)));
  }
  const list = Array.from(sizes as readonly number[], (size, i) =>
    wholeSetting(`size ${i}`, size, { least: 0 }, refuse),
  );
  const total = list.reduce((sum, size) => sum + size, 0);
  if (total !== extent)
    throw shapeError(
      "RANGE",
      x.builder,
      "split",
      `the sizes add up to ${total}, but axis ${axis} of ${x} has ${extent}`,
    );
  let start = 0;
  return list.map((size) => slice(x, at, start, (start += size)));
}

/**
 * A tensor in at most `count` pieces of the same extent along an axis; the last may be shorter. They are
 * views. As in PyTorch there are fewer where the extent, divided and rounded up, fills fewer.
 * @param count a whole number from 1
 * @param axis counted from the end where negative; 0
 * @throws {ShapeError} when the axis does not exist, {GraphError} when the count is not whole
 */
export function chunk(x: Value, count: number, axis = 0): Value[] {
  expectValue(x, "chunk", "x");
  wholeSetting("the count", count, {}, settingOf(x.builder.label("chunk")));
  const extent = x.shape[axisOf(x, axis, "chunk")];
  return split(x, Math.max(1, Math.ceil(extent / count)), axis);
}

/**
 * Values of one shape along a new axis: [n…], [n…] → [2, n…] for an axis of 0.
 * @param axis the place of the new axis, counted from the end of the result where negative; 0
 * @throws {ShapeError} when the shapes or dtypes differ, or there is no such place
 * @throws {GraphError} when there is no value, or the values belong to two graphs
 */
export function stack(values: readonly Value[], axis = 0): Value {
  if (!Array.isArray(values)) throw argumentError("stack", "values", values, "a list of values");
  const list = Array.from(values as readonly Value[]);
  const builder = builderOf("stack", Object.fromEntries(list.map((value, i) => [`value ${i}`, value])));
  const [first] = list;
  for (const [i, value] of list.entries())
    if (value.shape.join() !== first.shape.join() || value.dtype !== first.dtype)
      throw shapeError("OPERANDS", builder, "stack", `value 0, ${first}, and value ${i}, ${value}, differ in type`);
  const wide = list.map((value) => unsqueeze(value, axis, "stack"));
  return concat(wide, axis < 0 ? axis + first.rank + 1 : axis);
}

/**
 * A new axis of extent 1. The result is a view.
 * @param axis its place, counted from the end of the result where negative
 * @param name the label in errors; "unsqueeze"
 * @throws {ShapeError} when there is no such place
 */
export function unsqueeze(x: Value, axis: number, name = "unsqueeze"): Value {
  expectValue(x, name, "x");
  const at = Number.isInteger(axis) && axis < 0 ? axis + x.rank + 1 : axis;
  if (!Number.isInteger(at) || at < 0 || at > x.rank)
    throw shapeError(
      "AXIS",
      x.builder,
      name,
      `${x} has no place ${describe(axis)} for an axis; take ${-x.rank - 1} to ${x.rank}`,
    );
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/**
 * One slice of an axis, which is removed: [..., n, ...] → [..., ...]. The result is a view.
 * @param axis counted from the end where negative
 * @param index counted from the end where negative
 * @throws {ShapeError} when the axis or the index does not exist
 */
export function select(x: Value, axis: number, index: number): Value {
  expectValue(x, "select", "x");
  const at = axisOf(x, axis, "select");
  const extent = x.shape[at];
  const from = index < 0 ? index + extent : index;
  if (!Number.isInteger(from) || from < 0 || from >= extent)
    throw shapeError("RANGE", x.builder, "select", `axis ${axis} of ${x} has no index ${index}; it has ${extent}`);
  return reshape(slice(x, at, from, from + 1), x.shape.toSpliced(at, 1));
}

/**
 * All slices of an axis, which is removed. They are views.
 * @param axis counted from the end where negative; 0
 * @throws {ShapeError} when the axis does not exist
 */
export function unbind(x: Value, axis = 0): Value[] {
  expectValue(x, "unbind", "x");
  const at = axisOf(x, axis, "unbind");
  return Array.from({ length: x.shape[at] }, (_, i) => select(x, at, i));
}

split.check = {
  number: 157,
  name: "split",
  digests: {
    result: "0x3ed02e9a39ea9c565d0de404de05bcc67d4c58b410fdc5defd565f7d913d51de",
    "gradient 0": "0x518afa24efb5899e9e6530d8523bd67564e3e85a7c25ad8d24a90c3777e4b6e0",
  },
  vector: ({ x, floats }) => ({ y: asOne(split(x, [5, 0, 30, 2], 1)[2]), gradient: floats(3105, 13, 30) }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }],
      apply: (x) => concat(split(x, 2, 1).reverse(), 1),
      textbook: (_, [a, b, c, d, e, f]) => [c, a, b, f, d, e],
    },
  ],
} satisfies Operator["check"];

chunk.check = {
  number: 158,
  name: "chunk",
  digests: {
    result: "0x460c9671db09f75cf2bc72715423b3f05a2c6269eae94c5c4a4797b8087d54da",
    "gradient 0": "0xa6bd28b1b1d5acead439d90cfb2e751148fe232bdedc1dddd60035af3a6c3c1d",
  },
  vector: ({ x, floats }) => ({ y: asOne(chunk(x, 4)[3]), gradient: floats(3106, 1, 37) }),
  gradient: [
    {
      operands: [{ shape: [5] }],
      apply: (x) => concat(chunk(x, 3).reverse(), 0),
      textbook: (_, [a, b, c, d, e]) => [e, c, d, a, b],
    },
  ],
} satisfies Operator["check"];

stack.check = {
  number: 159,
  name: "stack",
  digests: {
    result: "0x1fab5e39d5774b94bf398ce6233b2646e35a218c02b02a355d5399bdbe2150a0",
    "gradient 0": "0x7d31a10a101445b5af5dd9c22375f213a9f48d704098206f6da1f6e12a840528",
    "gradient 1": "0x88f0a8d604781dabba286e0245fba10a0f065dfeba9fb6c71fa792f855654877",
  },
  vector: ({ x, g, floats }) => ({ y: asOne(stack([x, g], 1)), gradient: floats(3107, 13, 2, 37) }),
  gradient: [
    {
      operands: [{ shape: [2] }, { shape: [2] }],
      apply: (x, y) => stack([x, y], -1),
      textbook: (_, [a, b], [c, d]) => [a, c, b, d],
    },
  ],
} satisfies Operator["check"];

unsqueeze.check = {
  number: 160,
  name: "unsqueeze",
  digests: {
    result: "0x34e0e485edac33d7dba40a538418f1c8818661653607e1ba9c45fbfa7077fe99",
    "gradient 0": "0x9c5331801785b1bd2e850cc95d0f38dc89ea6bf62e211f19b61fd9337fbfa544",
  },
  vector: ({ x, floats }) => ({ y: unsqueeze(x, 1), gradient: floats(3108, 13, 1, 37) }),
  gradient: [{ operands: [{ shape: [2, 3] }], apply: (x) => unsqueeze(x, -1), textbook: (_, x) => x }],
} satisfies Operator["check"];

select.check = {
  number: 161,
  name: "select",
  digests: {
    result: "0x8d79cb09d6af1bd1c1167c2321530895cca75f4c9abf5e2fc044182d461e54f1",
    "gradient 0": "0x9dd88e395d6554216a650bca1b2a7ee73bcbd6bd72f46e0c25075eb40608d0fd",
  },
  vector: ({ x, floats }) => ({ y: asOne(select(x, 1, -2)), gradient: floats(3109, 13) }),
  gradient: [{ operands: [{ shape: [2, 3] }], apply: (x) => select(x, 0, 1), textbook: (_, x) => x.slice(3) }],
} satisfies Operator["check"];

unbind.check = {
  number: 162,
  name: "unbind",
  digests: {
    result: "0x393523fa1cfdc9b85c48a5cab2d28ca252e6c47bb324ad83d8232f7b9af5b0c4",
    "gradient 0": "0x77ff049c359d6c7e7a4d29ce72704f4ca4eaf1afb8a70a94d41b6c85954d5ee2",
  },
  vector: ({ x, floats }) => ({ y: asOne(unbind(x, -1)[7]), gradient: floats(3110, 13) }),
  gradient: [
    {
      operands: [{ shape: [2, 2] }],
      apply: (x) => concat(unbind(x).reverse(), 0),
      textbook: (_, [a, b, c, d]) => [c, d, a, b],
    },
  ],
} satisfies Operator["check"];
