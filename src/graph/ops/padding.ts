/** Elements added at the ends of an axis: those of the axis, or one value. `pad` adds zeros. */
import { describe } from "../../errors/arguments.ts";
import { ANY, floatSetting, INT32, wholeSetting } from "../../repops/numbers/settings.ts";
import { asOne } from "../as-one.ts";
import { fill, fillInt } from "../fill.ts";
import type { Operator } from "../operator.ts";
import { axisOf, expectValue, settingOf, shapeError, type Value } from "../value.ts";
import { concat } from "./concat.ts";
import { flip } from "./flip.ts";
import { slice } from "./slice.ts";
import { broadcastTo } from "./sum.ts";

/** What stands at one end of axis `at`: `count` elements, before or after x. */
type Edge = (at: number, count: number, end: "before" | "after") => Value;

function padded(x: Value, axis: number, counts: readonly [number, number], name: string, most: Most, edge: Edge) {
  expectValue(x, name, "x");
  const at = axisOf(x, axis, name);
  const [before, after] = counts;
  const limit = most(x.shape[at]);
  if (!counts.every((count) => Number.isInteger(count) && count >= 0 && count <= limit))
    throw shapeError(
      "RANGE",
      x.builder,
      name,
      `can't add ${describe(before)} elements before and ${describe(after)} after axis ${axis} of ${x}; ` +
        (limit === Infinity ? "take counts from 0" : `take counts from 0 to ${Math.max(0, limit)}`),
    );
  const ends = [
    ...(before > 0 ? [edge(at, before, "before")] : []),
    x,
    ...(after > 0 ? [edge(at, after, "after")] : []),
  ];
  return concat(ends, at);
}

/** The most elements that an axis of some extent can get at one end. */
type Most = (extent: number) => number;

/**
 * Adds elements of one value at the ends of an axis: f32 or i32 [..., n, ...] → [..., before + n + after,
 * ...].
 * @param axis counted from the end where negative
 * @param value a vf32, or a whole number for i32
 * @throws {ShapeError} when the axis does not exist, or a count is negative or not an integer
 * @throws {GraphError} for another value
 */
export function constantPad(x: Value, axis: number, before: number, after: number, value: number): Value {
  const name = "constant-pad";
  return padded(
    x,
    axis,
    [before, after],
    name,
    () => Infinity,
    (at, count) => {
      const shape = x.shape.with(at, count);
      const refuse = settingOf(x.builder.label(name));
      return x.dtype === "f32"
        ? fill(x.builder, shape, floatSetting("the value", value, ANY, refuse), name)
        : fillInt(x.builder, shape, wholeSetting("the value", value, INT32, refuse), name);
    },
  );
}

/**
 * Adds the elements beside the ends of an axis in reverse, without the one at the end: [a, b, c] → [c, b, a,
 * b, c, b, a] for 2 at both ends.
 * @param axis counted from the end where negative
 * @param before 0 to n - 1
 * @param after 0 to n - 1
 * @throws {ShapeError} when the axis does not exist, or has too few elements
 */
export function reflectionPad(x: Value, axis: number, before: number, after: number): Value {
  return padded(
    x,
    axis,
    [before, after],
    "reflection-pad",
    (extent) => extent - 1,
    (at, count, end) => {
      const extent = x.shape[at];
      const from = end === "before" ? 1 : extent - 1 - count;
      return flip(slice(x, at, from, from + count), [at]);
    },
  );
}

/**
 * Adds copies of the elements at the ends of an axis: [a, b, c] → [a, a, a, b, c, c] for 2 and 1.
 * @param axis counted from the end where negative
 * @throws {ShapeError} when the axis does not exist or has no elements, or a count is negative or not an
 *   integer
 */
export function replicationPad(x: Value, axis: number, before: number, after: number): Value {
  const most = (extent: number): number => (extent === 0 ? 0 : Infinity);
  return padded(x, axis, [before, after], "replication-pad", most, (at, count, end) => {
    const from = end === "before" ? 0 : x.shape[at] - 1;
    return broadcastTo(slice(x, at, from, from + 1), x.shape.with(at, count));
  });
}

/**
 * Adds elements from the other end of an axis: [a, b, c] → [b, c, a, b, c, a] for 2 and 1.
 * @param axis counted from the end where negative
 * @param before 0 to n
 * @param after 0 to n
 * @throws {ShapeError} when the axis does not exist, or has too few elements
 */
export function circularPad(x: Value, axis: number, before: number, after: number): Value {
  return padded(
    x,
    axis,
    [before, after],
    "circular-pad",
    (extent) => extent,
    (at, count, end) => {
      const from = end === "before" ? x.shape[at] - count : 0;
      return slice(x, at, from, from + count);
    },
  );
}

constantPad.check = {
  number: 204,
  name: "constant pad",
  digests: {
    result: "0x6c69fe111be510cfb90fd0afbeaf21ef2d1ed535240057e3f8d544108254983e",
    "gradient 0": "0x80de9806a15a17a185215880d1626cc91f8004be52ce7459c974e0d0d9abff07",
    "gradient 1": "0xaa4947cb5041124181a88284b9175b46aacd5bc153cac580ee53ce0576f12379",
    "gradient 2": "0xc0d10f2822fde4f2e9f3ccfd224e10dbdd7664f9235e826bc592f917ffb8e2fa",
  },
  vector: ({ x, floats }) => ({ y: asOne(constantPad(x, 0, 2, 3, -1.5)), gradient: floats(3159, 18, 37) }),
  gradient: [
    { operands: [{ shape: [2] }], apply: (x) => constantPad(x, 0, 1, 2, 7), textbook: (_, x) => [7, ...x, 7, 7] },
  ],
} satisfies Operator["check"];

reflectionPad.check = {
  number: 205,
  name: "reflection pad",
  digests: {
    result: "0x2f1423566a2dbdd40c0c0f32a771b19568ba2d3b7016d9509f247f478b73aa0a",
    "gradient 0": "0x6c2bb71f725c1069e251f78b07a4657d301824e171d9875e36fe9dcf2f2a1b6b",
  },
  vector: ({ x, floats }) => ({ y: asOne(reflectionPad(x, 0, 12, 3)), gradient: floats(3160, 28, 37) }),
  gradient: [
    {
      operands: [{ shape: [3] }],
      apply: (x) => reflectionPad(x, 0, 2, 1),
      textbook: (_, [a, b, c]) => [c, b, a, b, c, b],
    },
  ],
} satisfies Operator["check"];

replicationPad.check = {
  number: 206,
  name: "replication pad",
  digests: {
    result: "0x7c78b98ec867e24259137502ca5be9741718aafe5cf858944b196a8ae5abef5b",
    "gradient 0": "0x0beacc2608ddd0344660857ed03382fdbc11f02782cab066749743dcd5ad3b8f",
  },
  vector: ({ x, floats }) => ({ y: asOne(replicationPad(x, 1, 2, 3)), gradient: floats(3161, 13, 42) }),
  gradient: [
    {
      operands: [{ shape: [3] }],
      apply: (x) => replicationPad(x, 0, 2, 1),
      textbook: (_, [a, b, c]) => [a, a, a, b, c, c],
    },
  ],
} satisfies Operator["check"];

circularPad.check = {
  number: 207,
  name: "circular pad",
  digests: {
    result: "0x72f4af8a6fc7de54e0a6df5ed5d078f6541a0ce07e5a267f1b1e59a73b95493a",
    "gradient 0": "0x32454cbc250473340f91ee0e1fbf6f016e2cc79b1601a392f4ca22cb9b7e4ea2",
  },
  vector: ({ x, floats }) => ({ y: asOne(circularPad(x, 0, 13, 1)), gradient: floats(3162, 27, 37) }),
  gradient: [
    {
      operands: [{ shape: [3] }],
      apply: (x) => circularPad(x, 0, 2, 1),
      textbook: (_, [a, b, c]) => [b, c, a, b, c, a],
    },
  ],
} satisfies Operator["check"];
