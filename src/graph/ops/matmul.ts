/** Matrix products: one dot fold for every transposition and any batch axes. */
import type { Shape } from "../../encoding/tensor.ts";
import { DOT_STEP } from "../../repops/kernels/kernel.ts";
import { fold } from "../emit.ts";
import type { Operator } from "../operator.ts";
import { builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { viewOf } from "../view.ts";
import { select, unsqueeze } from "./split.ts";
import { broadcastTo, sumTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/**
 * a·b over the last two axes: f32 [..., m, k] · [..., k, n] → [..., m, n]; batch axes broadcast. Transposed
 * operands are views (`transpose`), so A·Bᵀ and Aᵀ·B cost the same. Each element is Σ over k in order, from
 * +0, with its operands clamped to the dot range (spec 4.3). As in PyTorch a vector is a row on the left and
 * a column on the right, and the result lacks the axis: [k] · [k, n] → [n], [m, k] · [k] → [m], [k] · [k] →
 * [].
 *
 *     const scores = matmul(queries, transpose(keys), "scores");
 *
 * @param name the label of the operator; "matmul"
 * @throws {ShapeError} when the inner extents differ, an operand is not f32 or a scalar, or k exceeds 2^22
 * @throws {GraphError} when the operands belong to two graphs
 */
export function matmul(a: Value, b: Value, name = "matmul"): Value {
  const builder = builderOf(name, { a, b });
  expectFloat(a, name);
  expectFloat(b, name);
  if (a.rank === 1 && b.rank > 0) return select(matmul(unsqueeze(a, 0), b, name), b.rank === 1 ? -1 : -2, 0);
  if (b.rank === 1 && a.rank > 0) return select(matmul(a, unsqueeze(b, 1), name), -1, 0);
  if (a.rank < 2 || b.rank < 2 || a.shape[a.rank - 1] !== b.shape[b.rank - 2])
    throw shapeError(
      "OPERANDS",
      builder,
      name,
      `${a} times ${b}: the last extent of the first and the second-to-last extent of the second differ`,
    );
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.rank - 1];
  const batch = batchShape(a, b, name);
  const left = spread(broadcastTo(a, [...batch, m, k]), 1, n);
  const right = spread(transpose(broadcastTo(b, [...batch, k, n])), 0, m);
  const out = fold(DOT_STEP, [left, right], {
    name,
    shape: [...batch, m, n],
    reduce: [k],
    start: 0,
    clampRange: "dot",
  });
  return out.withOrigin([a, b], (gradient) => [
    sumTo(matmul(gradient, transpose(b), `${name}-gradient`), a.shape),
    sumTo(matmul(transpose(a), gradient, `${name}-gradient`), b.shape),
  ]);
}

matmul.check = {
  number: 21,
  name: "matmul",
  digests: {
    result: "0xe5556a780592a02bc8a675c4fc836bc8f57bd00539641225bfd4522189fae0b7",
    "gradient 0": "0xb4440ba32bd3369f75293d1769d943e8ddb73af0a212a3aaaa57e7622e419def",
    "gradient 1": "0xc4879212760047171c028bf4571db4af48edd842a787f085ff6722bec9955425",
  },
  vector: ({ x, floats }) => ({ y: matmul(x, floats(3013, 37, 11)), gradient: floats(3014, 13, 11) }),
  gradient: [
    {
      operands: [{ shape: [4, 3] }, { shape: [3, 5] }],
      apply: (a, b) => matmul(a, b),
      textbook: (_, a, b) => product(a, b, 4, 3, 5),
    },
    {
      title: "of a matrix and a vector",
      operands: [{ shape: [2, 4, 3] }, { shape: [3] }],
      apply: (a, b) => matmul(a, b),
      textbook: (_, a, b) => product(a, b, 8, 3, 1),
    },
    {
      title: "of a vector and a matrix",
      operands: [{ shape: [3] }, { shape: [3, 4] }],
      apply: (a, b) => matmul(a, b),
      textbook: (_, a, b) => product(a, b, 1, 3, 4),
    },
    {
      title: "of transposed operands and batches",
      operands: [{ shape: [2, 3, 4] }, { shape: [5, 3] }],
      apply: (a, b) => matmul(transpose(a), transpose(b)),
      textbook: (_, a, b) =>
        [0, 1].flatMap((batch) => {
          const turned = (x: number[], rows: number, columns: number, offset: number): number[] =>
            Array.from({ length: rows * columns }, (_, i) => x[offset + (i % rows) * columns + Math.floor(i / rows)]);
          return product(turned(a, 3, 4, 12 * batch), turned(b, 5, 3, 0), 4, 3, 5);
        }),
    },
  ],
} satisfies Operator["check"];

function batchShape(a: Value, b: Value, name: string): Shape {
  const rank = Math.max(a.rank, b.rank) - 2;
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a, b].map((value) => value.shape[axis - rank - 2 + value.rank] ?? 1);
    if (x !== y && x !== 1 && y !== 1)
      throw shapeError("BROADCAST", a.builder, name, `the batch axes of ${a} and ${b} do not broadcast`);
    return x === 1 ? y : x;
  });
}

/**
 * Inserts an axis of stride 0, `at` axes after the batch, so that an operand can be read over the whole
 * iteration space.
 */
function spread(x: Value, at: number, extent: number): Value {
  const axis = x.rank - 2 + at;
  const shape = [...x.shape.slice(0, axis), extent, ...x.shape.slice(axis)];
  const strides = [...x.strides.slice(0, axis), 0, ...x.strides.slice(axis)];
  return viewOf(x, shape, strides, x.offset, (gradient) => gradient);
}

/** A row-major product, [m, k] · [k, n], by the textbook's formula. */
function product(a: readonly number[], b: readonly number[], m: number, k: number, n: number): number[] {
  const out = new Array<number>(m * n).fill(0);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let p = 0; p < k; p++) out[i * n + j] += a[i * k + p] * b[p * n + j];
  return out;
}
