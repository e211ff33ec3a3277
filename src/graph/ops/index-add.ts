/** Rows and slices added at an index, in the order of their positions. */
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { asOne } from "../as-one.ts";
import { dense } from "../dense.ts";
import { indices, type Operator } from "../operator.ts";
import { axisOf, builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { add } from "./add.ts";
import { addRows, gather } from "./gather.ts";
import { transpose } from "./transpose.ts";

/**
 * x plus slices at an index along an axis: f32 [..., n, ...], i32 [k] and f32 [..., k, ...] → [..., n, ...].
 * Sums are made from +0 in the order of the index, in the sum range, and then added to x. An index outside of
 * the axis is passed over.
 * @param axis counted from the end where negative
 * @param name the label of the operator; "index-add"
 * @throws {ShapeError} when the axis does not exist, or the shapes do not fit
 * @throws {GraphError} when the operands belong to two graphs
 */
export function indexAdd(x: Value, axis: number, index: Value, source: Value, name = "index-add"): Value {
  const builder = builderOf(name, { x, index, source });
  for (const value of [x, source]) expectFloat(value, name);
  const at = axisOf(x, axis, name);
  const wanted = x.shape.with(at, index.shape[0] ?? 0);
  if (index.rank !== 1 || index.dtype !== "i32" || source.shape.join() !== wanted.join())
    throw shapeError("OPERANDS", builder, name, `slices ${source} by ${index} do not fit axis ${axis} of ${x}`);
  const order = [at, ...[...x.shape.keys()].filter((other) => other !== at)];
  const slices = transpose(source, order);
  const chosen = dense(index, `${name}-index`);
  const shape = order.map((from) => x.shape[from]);
  const sums = addRows(slices, chosen, shape, name).withOrigin([slices], (gradient) => [
    gather(gradient, chosen, `${name}-gradient`),
  ]);
  return add(
    x,
    transpose(
      sums,
      order.map((_, place) => order.indexOf(place)),
    ),
  );
}

/**
 * Sums of the rows of each segment, in the order of the rows: f32 [n, j…] and i32 [n] → [count, j…]. A row
 * whose segment is none is passed over. The segments need not be sorted.
 * @param count the number of segments
 * @param name the label of the operator; "segment-sum"
 * @throws {ShapeError} when there is not one i32 for each row, {GraphError} when the count is not whole
 */
export function segmentSum(x: Value, segments: Value, count: number, name = "segment-sum"): Value {
  const builder = builderOf(name, { x, segments });
  expectFloat(x, name);
  wholeSetting("the number of segments", count, {}, settingOf(builder.label(name)));
  if (x.rank === 0 || segments.dtype !== "i32" || segments.shape.join() !== `${x.shape[0]}`)
    throw shapeError("OPERANDS", builder, name, `segments ${segments} of ${x}; give one i32 for each row`);
  const chosen = dense(segments, `${name}-index`);
  return addRows(x, chosen, [count, ...x.shape.slice(1)], name).withOrigin([x], (gradient) => [
    gather(gradient, chosen, `${name}-gradient`),
  ]);
}

indexAdd.check = {
  number: 196,
  name: "index add",
  digests: {
    result: "0x15a93e3301d84e0620ac8a46b401d8eb01b6c8076c28649a11aafddc305ad069",
    "gradient 1": "0x06a6a9531a7fb1bd702d1a8aa6c9c0a5393b77df71b168ca6b5631ec3140f8ff",
  },
  vector: ({ x, classes, floats }) => ({
    y: asOne(indexAdd(x, 1, classes, floats(3150, 13, 13))),
    gradient: floats(3151, 13, 37),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 2] }, indices([3], [1, 0, 1]), { shape: [2, 3] }],
      apply: (x, index, source) => indexAdd(x, -1, index, source),
      textbook: (_, [a, b, c, d], _index, [p, q, r, s, t, u]) => [a + q, b + p + r, c + t, d + s + u],
    },
  ],
} satisfies Operator["check"];

segmentSum.check = {
  number: 197,
  name: "segment sum",
  digests: {
    result: "0x3312e7c07c03101644994da4ea4e1dfc640ba37d3beab28cdd0e41cb742aae13",
    "gradient 0": "0x0f0381a239b3fcca2da3cffc6cef2c28a439d9a6a25075fbf30e2f5df2b8c6f7",
  },
  vector: ({ x, classes, floats }) => ({ y: asOne(segmentSum(x, classes, 37)), gradient: floats(3152, 37, 37) }),
  gradient: [
    {
      operands: [{ shape: [4, 2] }, indices([4], [1, 0, 1, 2])],
      apply: (x, segments) => segmentSum(x, segments, 3),
      textbook: (_, [a, b, c, d, e, f, g, h]) => [c, d, a + e, b + f, g, h],
    },
  ],
} satisfies Operator["check"];
