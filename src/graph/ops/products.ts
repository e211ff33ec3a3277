/** Products of vectors, and of matrices in batches. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { dotRows } from "../rows.ts";
import { builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { matmul } from "./matmul.ts";
import { unsqueeze } from "./split.ts";
import { broadcastTo } from "./sum.ts";

const PRODUCT = defineProgram("ff", (a, b) => a.mul(b));

/**
 * One product for each matrix of a batch: f32 [batch, m, k] · [batch, k, n] → [batch, m, n]. It is `matmul`
 * where nothing broadcasts.
 * @param name the label of the operator; "bmm"
 * @throws {ShapeError} when an operand does not have three axes, or their extents do not fit
 * @throws {GraphError} when the operands belong to two graphs
 */
export function bmm(a: Value, b: Value, name = "bmm"): Value {
  const builder = builderOf(name, { a, b });
  if (a.rank !== 3 || b.rank !== 3 || a.shape[0] !== b.shape[0])
    throw shapeError("OPERANDS", builder, name, `${a} times ${b}: give two batches of as many matrices, or use matmul`);
  return matmul(a, b, name);
}

/**
 * Every product of two elements: f32 [n] and [m] → [n, m].
 * @param name the label of the operator; "outer"
 * @throws {ShapeError} when an operand is no row of f32, {GraphError} when they belong to two graphs
 */
export function outer(a: Value, b: Value, name = "outer"): Value {
  const shape = [rowOf(a, b, name), rowOf(b, a, name)];
  const y = map(PRODUCT, [broadcastTo(unsqueeze(a, 1), shape), broadcastTo(b, shape)], { name, shape });
  return y.withOrigin([a, b], (gradient) => [
    matmul(gradient, b, `${name}-gradient`),
    matmul(a, gradient, `${name}-gradient`),
  ]);
}

/**
 * Σ a·b of two rows: f32 [n] twice → a scalar. Like rows of a sum it is folded in 16 interleaved lanes when n
 * is a multiple of 16 and above 16; `matmul` of two rows has one chain. The operands are clamped to the dot
 * range.
 * @param name the label of the operator; "dot"
 * @throws {ShapeError} when an operand is no row of f32, or they differ in length
 * @throws {GraphError} when they belong to two graphs
 */
export function dot(a: Value, b: Value, name = "dot"): Value {
  const count = rowOf(a, b, name);
  if (rowOf(b, a, name) !== count)
    throw shapeError("OPERANDS", a.builder, name, `${a} and ${b} differ in length; give two rows of one length`);
  return dotRows(a, b, name).withOrigin([a, b], (gradient) =>
    [b, a].map((other) =>
      map(PRODUCT, [broadcastTo(gradient, other.shape), other], { name: `${name}-gradient`, shape: other.shape }),
    ),
  );
}

/** The length of a row of f32. */
function rowOf(value: Value, other: Value, name: string): number {
  builderOf(name, { a: value, b: other });
  expectFloat(value, name);
  if (value.rank !== 1)
    throw shapeError(
      "OPERANDS",
      value.builder,
      name,
      `takes two rows, not ${value} and ${other}; use matmul or einsum`,
    );
  return value.shape[0];
}

bmm.check = {
  number: 177,
  name: "bmm",
  digests: {
    result: "0x390870d5d3586f0a8c0a29e3ec9baf1913ba32fd73617822cf94125f8fd154ca",
    "gradient 0": "0x11a3cae4cdd097659e6462d916f6be50b1a0f648c1874814a041f7a0acb502e5",
    "gradient 1": "0x5d04367244fec5b641e681c9724e27b3e546d9a855a95ea07d040fe39203e61d",
  },
  vector: ({ floats }) => ({ y: bmm(floats(3129, 3, 5, 7), floats(3130, 3, 7, 4)), gradient: floats(3131, 3, 5, 4) }),
  gradient: [
    {
      operands: [{ shape: [2, 1, 2] }, { shape: [2, 2, 1] }],
      apply: (a, b) => bmm(a, b),
      textbook: (_, a, b) => [a[0] * b[0] + a[1] * b[1], a[2] * b[2] + a[3] * b[3]],
    },
  ],
} satisfies Operator["check"];

outer.check = {
  number: 178,
  name: "outer",
  digests: {
    result: "0x4f207a56591301450db0f8ecb88818c49d2f3f2a402e60e20b4a1c4f4913967c",
    "gradient 0": "0xed973dbec9c9381da4496cb0baf0c1cbb33568d01be0ca1d506142525e543050",
    "gradient 1": "0xe157f179d0a30ef6bcd7dbe75093cf0af2c278aab10b878fbeeb5b890c895460",
  },
  vector: ({ floats }) => ({ y: outer(floats(3132, 13), floats(3133, 37)), gradient: floats(3134, 13, 37) }),
  gradient: [
    {
      operands: [{ shape: [3] }, { shape: [2] }],
      apply: (a, b) => outer(a, b),
      textbook: (_, a, b) => a.flatMap((x) => b.map((y) => x * y)),
    },
  ],
} satisfies Operator["check"];

dot.check = {
  number: 179,
  name: "dot",
  digests: {
    result: "0xdf5c18ed6ff798db26bdfa0c96f81e9cedfb14def3763fe5deba27c06700f760",
    "gradient 0": "0x3afa39a8b62d50735a229a72075b62e4476d3a462459ccd4549a80f4cda994d6",
    "gradient 1": "0x558e9c41e32866c720ba57b173b38df388af3fc384c12eca7db30954419bbb0a",
  },
  vector: ({ floats }) => ({ y: dot(floats(3135, 64), floats(3136, 64)), gradient: floats(3137) }),
  gradient: [
    {
      operands: [{ shape: [5] }, { shape: [5] }],
      apply: (a, b) => dot(a, b),
      textbook: (_, a, b) => [a.reduce((sum, x, i) => sum + x * b[i], 0)],
    },
  ],
} satisfies Operator["check"];
