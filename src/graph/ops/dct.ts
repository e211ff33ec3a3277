/** Discrete cosine transforms: products with a basis that the graph computes. */
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { wave } from "../../repops/functions/trigonometry.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { asOne } from "../as-one.ts";
import { axisBack, rowsAlong } from "../axis-last.ts";
import { type GraphBuilder } from "../builder.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { axisOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** The longest basis, so that (2i + 1) · k fits 31 bits. */
const LONGEST = 2 ** 14;

/**
 * The orthonormal basis of the DCT-II: f32 [n, n], element (i, k) is s · cos(π (2i + 1) k / 2n), s = √(1/n)
 * for k = 0, else √(2/n).
 *
 * It is a map of coordinates. So the job's id binds it like every other operator; it needs no entry of the
 * state, no file, and no function of a platform. The angle is reduced in integers, and is exact but for one
 * rounding. It costs some 45 instructions an element in each training step.
 */
function basisOf(builder: GraphBuilder, n: number, name: string): Value {
  const program = defineProgram("ii", (i, k) => {
    // The angle is m/n quarter turns, m modulo 4n. The nearest quarter is q, and the rest in [-1/2, 1/2].
    const m = i.mul(2).add(1).mul(k);
    // Quotients of small integers, from a product that is wrong by less than the half that is not cut off.
    const turns = m
      .toFloat()
      .mul(1 / (4 * n))
      .floor()
      .toI32();
    const rest = m.sub(turns.mul(4 * n));
    const quadrant = rest
      .mul(2)
      .add(n)
      .toFloat()
      .mul(1 / (2 * n))
      .floor()
      .toI32();
    const left = rest.sub(quadrant.mul(n));
    const r = left.toFloat().mul(Math.PI / (2 * n));
    const cosine = wave({ quadrant: quadrant.add(1), r });
    return k.eq(0).select(
      float(1 / n).sqrt(),
      float(2 / n)
        .sqrt()
        .mul(cosine),
    );
  });
  return map(program, [{ coordinate: 0 }, { coordinate: 1 }], { name, shape: [n, n], builder });
}

function basisFor(x: Value, n: number, name: string): Value {
  expectFloat(x, name);
  if (n < 1 || n > LONGEST)
    throw shapeError("OPERANDS", x.builder, name, `a transform of ${n} elements, of ${x}; take 1 to ${LONGEST}`);
  return basisOf(x.builder, n, `${name}-basis`);
}

/**
 * The orthonormal DCT-II along an axis: f32 [..., n, ...] → the same shape. A product with a basis [n, n]
 * that the graph computes, so n multiplications an element. `idct` is its inverse, and its gradient.
 * @param axis counted from the end where negative; -1
 * @param name the label of the operator; "dct"
 * @throws {ShapeError} when x is not f32, the axis does not exist, or has more than 16,384 elements
 */
export function dct(x: Value, axis = -1, name = "dct"): Value {
  expectFloat(x, name);
  const at = axisOf(x, axis, name);
  return axisBack(matmul(rowsAlong(x, at), basisFor(x, x.shape[at], name), name), x, at);
}

/**
 * The orthonormal DCT-III along an axis, which undoes `dct`: f32 [..., n, ...] → the same shape.
 * @param axis counted from the end where negative; -1
 * @param name the label of the operator; "idct"
 * @throws {ShapeError} when x is not f32, the axis does not exist, or has more than 16,384 elements
 */
export function idct(x: Value, axis = -1, name = "idct"): Value {
  expectFloat(x, name);
  const at = axisOf(x, axis, name);
  return axisBack(matmul(rowsAlong(x, at), transpose(basisFor(x, x.shape[at], name)), name), x, at);
}

/** The largest divisor of an extent up to a limit: the side of a chunk. */
function sideOf(extent: number, most: number): number {
  let side = Math.min(extent, most);
  while (side > 1 && extent % side !== 0) side--;
  return side;
}

/** Blocks of a matrix: [Y·h, X·w] as [Y, X, h, w]. A row is a matrix of one row. */
function blocks(x: Value, chunk: number, name: string) {
  expectFloat(x, name);
  wholeSetting("the side of a chunk", chunk, { most: LONGEST }, settingOf(x.builder.label(name)));
  if (x.rank < 1 || x.rank > 2 || x.shape.includes(0))
    throw shapeError("OPERANDS", x.builder, name, `chunks of ${x}; give a row or a matrix that has elements`);
  const [rows, columns] = x.rank === 1 ? [1, x.shape[0]] : x.shape;
  const [h, w] = [sideOf(rows, chunk), sideOf(columns, chunk)];
  return { h, w, grid: [rows / h, columns / w] };
}

/**
 * The DCT-II of each chunk of a matrix: f32 [Y·h, X·w] → [Y, X, h·w], a chunk's coefficients in row-major
 * order. The sides h and w are the largest divisors of the extents up to `chunk`; a row [n] is a matrix of
 * one row. DeMo sends the largest coefficients of each chunk: `topk` of the absolute values along the last
 * axis.
 * @param chunk the greatest side; 64
 * @param name the label of the operator; "chunked-dct"
 * @throws {ShapeError} when x is no row or matrix of f32, {GraphError} for another chunk
 */
export function chunkedDct(x: Value, chunk = 64, name = "chunked-dct"): Value {
  const { h, w, grid } = blocks(x, chunk, name);
  const [Y, X] = grid;
  const parts = transpose(reshape(x, [Y, h, X, w]), [0, 2, 1, 3]);
  const along = matmul(parts, basisFor(x, w, name), name);
  // Bᵀ · block, as the transpose of blockᵀ · B: for rows of one element nothing remains to do.
  const both = h === 1 ? along : matmul(transpose(basisFor(x, h, name)), along, name);
  return reshape(both, [Y, X, h * w]);
}

/**
 * Undoes `chunkedDct`: f32 [Y, X, h·w] → `shape`.
 * @param shape that of the row or the matrix
 * @param chunk the greatest side; 64
 * @param name the label of the operator; "chunked-idct"
 * @throws {ShapeError} when x does not have the coefficients of such chunks, {GraphError} for another chunk
 */
export function chunkedIdct(x: Value, shape: readonly number[], chunk = 64, name = "chunked-idct"): Value {
  expectFloat(x, name);
  const like = reshape(x, shape);
  const { h, w, grid } = blocks(like, chunk, name);
  const [Y, X] = grid;
  if (x.shape.join() !== [Y, X, h * w].join())
    throw shapeError(
      "OPERANDS",
      x.builder,
      name,
      `${x} has not the coefficients [${Y}, ${X}, ${h * w}] of [${shape.join(", ")}]`,
    );
  const along = matmul(reshape(x, [Y, X, h, w]), transpose(basisFor(x, w, name)), name);
  const both = h === 1 ? along : matmul(basisFor(x, h, name), along, name);
  return reshape(transpose(both, [0, 2, 1, 3]), shape);
}

/** By the textbook's formula, of one row. */
function cosines(m: Textbook, row: readonly number[]): number[] {
  const n = row.length;
  return row.map((_, k) => {
    const sum = row.reduce((total, x, i) => total + x * m.cos((Math.PI * (2 * i + 1) * k) / (2 * n)), 0);
    return m.sqrt((k === 0 ? 1 : 2) / n) * sum;
  });
}

dct.check = {
  number: 221,
  name: "dct",
  digests: {
    result: "0x59629bfbee5b4017d5fea770fd8c02198ea1ab637a53b060efd5f4ae9f57c810",
    "gradient 0": "0xbdfc36e6e7936060b67bd25b13415befbd9c0c4b4f9f5afdb904f53964a04491",
    "gradient 1": "0xcc22c885f2970f11907c6388804b70cea7384d91cb2dd7f518b9dd1134dd2c5b",
  },
  vector: ({ x, g }) => ({ y: asOne(dct(x)), gradient: g }),
  gradient: [
    {
      operands: [{ shape: [2, 6] }],
      apply: (x) => dct(x),
      textbook: (m, x) => rowsOf(x, 6).flatMap((row) => cosines(m, row)),
    },
  ],
} satisfies Operator["check"];

idct.check = {
  number: 222,
  name: "idct",
  digests: {
    result: "0x81050d96f337fc194875eac2dd4558f1006cb99055dc8f22402a36033218b00f",
    "gradient 0": "0x85e0449dd063258c2c4731c9b5263e70c320c2f53fa65f98d7b51e8023d8eabd",
    "gradient 1": "0xc170be5e388dc5dc484c2289e1ca90e7d1e7bbd7945fa8706f6282b40a331e65",
  },
  vector: ({ x, g }) => ({ y: asOne(idct(x, 0)), gradient: g }),
  gradient: [
    {
      title: "of a dct, which it undoes",
      operands: [{ shape: [5, 2] }],
      apply: (x) => idct(dct(x, 0), 0),
      textbook: (_, x) => x,
    },
  ],
} satisfies Operator["check"];

chunkedDct.check = {
  number: 223,
  name: "chunked dct",
  digests: {
    result: "0xc9827ea7ac16474a474ccb3f1660007d93087c4d7b14e74a5a2f6b5b7a985602",
    "gradient 0": "0xc8711ba6eaf8df3179e988e1c9ec06950e88fef17f25f295c320171327891775",
    "gradient 1": "0x3d542c08baa0a0f5f28b3f506b384a2e77d075adbb97ea34689606045715cfdb",
    "gradient 2": "0x9ea9f9f1e7d7db2859b94421bd71c2694aa147b976ed6fb985fa5253a4794d4b",
  },
  vector: ({ floats }) => ({ y: asOne(chunkedDct(floats(3169, 12, 10), 6)), gradient: floats(3170, 2, 2, 30) }),
  gradient: [
    {
      operands: [{ shape: [9] }],
      apply: (x) => chunkedDct(x, 4),
      textbook: (m, x) => rowsOf(x, 3).flatMap((row) => cosines(m, row)),
    },
  ],
} satisfies Operator["check"];

chunkedIdct.check = {
  number: 224,
  name: "chunked idct",
  digests: {
    result: "0x48fa3e7d0878698b82e80c98bd0258576c0e99460f2cc58990dade146ee5998c",
    "gradient 0": "0xbfdb904581965a8bf9df6cd13281b9faa33cef7cefb8b365db1db83b93d6212e",
    "gradient 1": "0xa2ba0b8930d827c418bc209bfbdf5037155291449f090d1f24ba4c0d17a6caf1",
    "gradient 2": "0xf93d5dbf932db825fa8e58414e3be41f31f64fdbbc12434238dd87902437a6dd",
  },
  vector: ({ floats }) => ({
    y: asOne(chunkedIdct(floats(3171, 2, 2, 30), [12, 10], 6)),
    gradient: floats(3172, 12, 10),
  }),
  gradient: [
    {
      title: "of a chunked dct, which it undoes",
      operands: [{ shape: [6, 4] }],
      apply: (x) => chunkedIdct(chunkedDct(x, 3), [6, 4], 3),
      textbook: (_, x) => x,
    },
  ],
} satisfies Operator["check"];
