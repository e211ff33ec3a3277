/** Copies of a tensor along its axes. */
import { elementCount } from "../../encoding/tensor.ts";
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { asOne } from "../as-one.ts";
import { dense } from "../dense.ts";
import type { Operator } from "../operator.ts";
import { argumentError, axisOf, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo } from "./sum.ts";

/** An axis `count` times: all of it again and again, or each element `count` times. */
function copies(x: Value, axis: number, count: number, whole: boolean): Value {
  const [outer, inner] = [elementCount(x.shape.slice(0, axis)), elementCount(x.shape.slice(axis + 1))];
  const extent = x.shape[axis];
  const [lead, rest] = whole ? [outer, extent * inner] : [outer * extent, inner];
  const many = broadcastTo(reshape(x, [lead, 1, rest]), [lead, count, rest]);
  return reshape(
    many,
    x.shape.map((size, i) => (i === axis ? size * count : size)),
  );
}

function tiled(x: Value, counts: readonly number[], name: string): Value {
  expectValue(x, name, "x");
  if (!Array.isArray(counts)) throw argumentError(name, "counts", counts, "a list with one count for each axis");
  const list = Array.from(counts, (count, i) =>
    wholeSetting(`count ${i}`, count, { least: 0 }, settingOf(x.builder.label(name))),
  );
  const rank = Math.max(x.rank, list.length);
  const all = [...new Array<number>(rank - list.length).fill(1), ...list];
  const start = reshape(x, [...new Array<number>(rank - x.rank).fill(1), ...x.shape]);
  return dense(
    all.reduce((value, count, axis) => (count === 1 ? value : copies(value, axis, count, true)), start),
    name,
  );
}

/**
 * A tensor several times along each axis: f32 or i32 [n…] → [count · n…]. Where the list is shorter than the
 * shape, the first axes are not repeated; where it is longer, x gets axes of extent 1 in front.
 *
 *     tile(x, [2, 1]); // [3, 4] → [6, 4]
 *
 * @param counts whole numbers from 0
 * @param name the label of the operator; "tile"
 * @throws {GraphError} when a count is not whole, or negative
 * @throws {ShapeError} when the result has more than 8 axes, or too many elements
 */
export function tile(x: Value, counts: readonly number[], name = "tile"): Value {
  return tiled(x, counts, name);
}

/**
 * `tile` as PyTorch's `Tensor.repeat` takes its counts: one for each axis at least.
 * @param counts whole numbers from 0
 * @param name the label of the operator; "repeat"
 * @throws {ShapeError} when x has more axes than there are counts, and as `tile` does
 * @throws {GraphError} when a count is not whole, or negative
 */
export function repeat(x: Value, counts: readonly number[], name = "repeat"): Value {
  expectValue(x, name, "x");
  if (Array.isArray(counts) && counts.length < x.rank)
    throw shapeError(
      "AXIS",
      x.builder,
      name,
      `[${counts.join(", ")}] has no count for some axes of ${x}; give each one`,
    );
  return tiled(x, counts, name);
}

/**
 * Each slice along an axis `count` times, one after another: [a, b] → [a, a, b, b] for a count of 2.
 * @param count a whole number from 0
 * @param axis counted from the end where negative
 * @param name the label of the operator; "repeat-interleave"
 * @throws {ShapeError} when the axis does not exist, {GraphError} when the count is not whole, or negative
 */
export function repeatInterleave(x: Value, count: number, axis: number, name = "repeat-interleave"): Value {
  expectValue(x, name, "x");
  const at = axisOf(x, axis, name);
  wholeSetting("the count", count, { least: 0 }, settingOf(x.builder.label(name)));
  return dense(copies(x, at, count, false), name);
}

tile.check = {
  number: 152,
  name: "tile",
  digests: {
    result: "0x824a2353bdc6f2546a99d27e1a184b60a6ff724119c03438501fd08b76fffa2d",
    "gradient 0": "0xc3aa759ef13d46128f220684031b8c18782c1faa6038852aa9111f8f83f72d53",
  },
  vector: ({ x, floats }) => ({ y: asOne(tile(x, [2, 3])), gradient: floats(3100, 26, 111) }),
  gradient: [
    {
      operands: [{ shape: [2, 2] }],
      apply: (x) => tile(x, [2, 1, 2]),
      textbook: (_, [a, b, c, d]) => [0, 1].flatMap(() => [a, b, a, b, c, d, c, d]),
    },
  ],
} satisfies Operator["check"];

repeat.check = {
  number: 153,
  name: "repeat",
  digests: {
    result: "0x9e87c6d667ea311f10d476c335a4c0565d627a3129e91b07b2794f6d6dc2e2e9",
    "gradient 0": "0xd6c77f709204e39a6aa7a2b80a26dbd714bbcc11937c3db1b6ff52051d60d399",
  },
  vector: ({ x, floats }) => ({ y: asOne(repeat(x, [3, 1, 2])), gradient: floats(3101, 3, 13, 74) }),
  gradient: [
    { operands: [{ shape: [3] }], apply: (x) => repeat(x, [2, 2]), textbook: (_, x) => [...x, ...x, ...x, ...x] },
  ],
} satisfies Operator["check"];

repeatInterleave.check = {
  number: 154,
  name: "repeat interleave",
  digests: {
    result: "0xa571c6f47a3da204700d67b287eca531009562582f45662841e38e42bd709f51",
    "gradient 0": "0x46e89589f2960d107349d2f8b0a3b9bf8a34803b80a595777739c03a7cda20b9",
  },
  vector: ({ x, floats }) => ({ y: asOne(repeatInterleave(x, 4, 0)), gradient: floats(3102, 52, 37) }),
  gradient: [
    {
      operands: [{ shape: [2, 2] }],
      apply: (x) => repeatInterleave(x, 2, -1),
      textbook: (_, x) => x.flatMap((value) => [value, value]),
    },
  ],
} satisfies Operator["check"];
