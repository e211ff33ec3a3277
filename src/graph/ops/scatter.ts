/** Elements written, added or averaged at an index. Additions are folds in the order of the positions. */
import { wholeSetting } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { asOne } from "../as-one.ts";
import { axisBack, rowsAlong } from "../axis-last.ts";
import { dense } from "../dense.ts";
import { fold, gatherKernel, map } from "../emit.ts";
import { indices, type Operator } from "../operator.ts";
import { axisOf, builderOf, expectFloat, settingOf, shapeError, type Value } from "../value.ts";
import { add } from "./add.ts";
import { fill } from "../fill.ts";
import { reshape } from "./reshape.ts";
import { unsqueeze } from "./split.ts";
import { broadcastTo } from "./sum.ts";
import { addAlong, expectIndex, takeAlongDim } from "./take-along-dim.ts";

const DIVIDE = defineProgram("ff", (total, count) => total.div(count.max(1)));
const DIVIDED_GRADIENT = defineProgram("ff", (gradient, count) => gradient.div(count.max(1)));
/** The last position whose index is this element. */
const LAST = defineProgram("iiii", (acc, index, at, k) => index.eq(at).selectInt(k, acc));
const WRITTEN = defineProgram("ffi", (x, source, winner) => winner.lt(0).select(x, source));
const UNWRITTEN = defineProgram("fi", (gradient, winner) => winner.lt(0).select(gradient, 0));
const WON = defineProgram("fii", (gradient, winner, k) => winner.eq(k).select(gradient, 0));

/** What the operators here have in common. */
function operands(x: Value, index: Value, source: Value, axis: number, name: string): number {
  builderOf(name, { x, index, source });
  for (const value of [x, source]) expectFloat(value, name);
  const at = axisOf(x, axis, name);
  expectIndex(x, index, at, name);
  if (source.shape.join() !== index.shape.join())
    throw shapeError(
      "OPERANDS",
      x.builder,
      name,
      `the source ${source} does not have one element for each of ${index}`,
    );
  return at;
}

/**
 * x plus elements at an index along an axis: f32 [..., n, ...], i32 and f32 [..., k, ...] → [..., n, ...].
 * Sums are made from +0 in the order of the positions, in the sum range, and then added to x. An index
 * outside of the axis is passed over.
 *
 * As it is defined each element is a fold over all positions; backends take one step a position.
 * @param axis counted from the end where negative
 * @param name the label of the operator; "scatter-add"
 * @throws {ShapeError} when the axis does not exist, or the shapes do not fit
 * @throws {GraphError} when the operands belong to two graphs
 */
export function scatterAdd(x: Value, axis: number, index: Value, source: Value, name = "scatter-add"): Value {
  const at = operands(x, index, source, axis, name);
  const rows = rowsAlong(source, at);
  const chosen = rowsAlong(index, at);
  const sums = addAlong(rows, chosen, x.shape[at], name).withOrigin([rows], (gradient) => [
    takeAlongDim(gradient, chosen, 1, `${name}-gradient`),
  ]);
  return add(x, axisBack(sums, x, at));
}

/**
 * The mean of the elements that are written to each place along an axis: f32 [..., k, ...] and i32 [..., k,
 * ...] → [..., length, ...]; 0 where none is. The sum is made from +0 in the order of the positions and
 * divided by their number. An index outside of the result is passed over.
 * @param length the extent of the axis in the result
 * @param axis counted from the end where negative
 * @param name the label of the operator; "scatter-mean"
 * @throws {ShapeError} when the axis does not exist, or the index has another shape than x
 * @throws {GraphError} when the operands belong to two graphs, or the length is not whole
 */
export function scatterMean(x: Value, index: Value, length: number, axis: number, name = "scatter-mean"): Value {
  const at = operands(x, index, x, axis, name);
  wholeSetting("the length", length, {}, settingOf(x.builder.label(name)));
  const rows = rowsAlong(x, at);
  const chosen = rowsAlong(index, at);
  const ones = fill(x.builder, rows.shape, 1, `${name}-ones`);
  const counts = addAlong(ones, chosen, length, `${name}-count`);
  const { shape } = counts;
  const y = map(DIVIDE, [addAlong(rows, chosen, length, `${name}-sum`), counts], { name, shape });
  const back = y.withOrigin([rows], (gradient) => {
    const label = `${name}-gradient`;
    const each = map(DIVIDED_GRADIENT, [gradient, counts], { name: label, shape });
    return [takeAlongDim(each, chosen, 1, label)];
  });
  return axisBack(back, x, at);
}

/**
 * x with elements replaced at an index along an axis: f32 [..., n, ...], i32 and f32 [..., k, ...] →
 * [..., n, ...]. Of several elements with one index the last one is kept; PyTorch leaves that open. An index
 * outside of the axis is passed over.
 *
 * It compares every element with every position: 2 · n · k instructions a row.
 * @param axis counted from the end where negative
 * @param name the label of the operator; "scatter"
 * @throws {ShapeError} when the axis does not exist, or the shapes do not fit
 * @throws {GraphError} when the operands belong to two graphs
 */
export function scatter(x: Value, axis: number, index: Value, source: Value, name = "scatter"): Value {
  const at = operands(x, index, source, axis, name);
  const [old, chosen, fresh] = [x, index, source].map((value) => rowsAlong(value, at));
  const [rows, n] = old.shape;
  const k = chosen.shape[1];
  const at3 = broadcastTo(unsqueeze(chosen, 1), [rows, n, k]);
  const options = { name: `${name}-winner`, shape: [rows, n], reduce: [k], start: -1, clampRange: "none" } as const;
  const winner = fold(LAST, [at3, { coordinate: 1 }, "index"], options);
  // Where nothing is written, any element is read.
  const place = map(
    defineProgram("ii", (won, row) => won.lt(0).selectInt(0, won).add(row.mul(k))),
    [winner, { coordinate: 0 }],
    {
      name: `${name}-place`,
      shape: [rows, n],
    },
  );
  const read = k === 0 ? old : gatherKernel(dense(reshape(fresh, [rows * k]), name), place, 0, `${name}-source`);
  const y = map(WRITTEN, [old, read, winner], { name, shape: [rows, n] });
  const back = y.withOrigin([old, fresh], (gradient) => {
    const label = `${name}-gradient`;
    const own = map(UNWRITTEN, [gradient, winner], { name: label, shape: [rows, n] });
    const [reached, won] = [gradient, winner].map((value) => takeAlongDim(value, chosen, 1, label));
    return [own, map(WON, [reached, won, { coordinate: 1 }], { name: label, shape: [rows, k] })];
  });
  return axisBack(back, x, at);
}

const ROWS = indices([2, 3], [1, 0, 1, 3, 3, 2]);

scatterAdd.check = {
  number: 195,
  name: "scatter add",
  digests: {
    result: "0x17b51383e691a784620afc097b75c000266ae88aa67260bb13bce7e978a67b1f",
    "gradient 1": "0xb619848033cf1ae270263ba4dac0c7e90513800566d90e8f0a4eb086c961dcc4",
  },
  vector: ({ x, classes, floats }) => ({
    y: asOne(scatterAdd(x, 1, reshape(classes, [13, 1]), floats(3148, 13, 1))),
    gradient: floats(3149, 13, 37),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 4] }, ROWS, { shape: [2, 3] }],
      apply: (x, index, source) => scatterAdd(x, 1, index, source),
      textbook: (_, [a, b, c, d, e, f, g, h], _index, [p, q, r, s, t, u]) => [
        a + q,
        b + p + r,
        c,
        d,
        e,
        f,
        g + u,
        h + s + t,
      ],
    },
  ],
} satisfies Operator["check"];

scatterMean.check = {
  number: 198,
  name: "scatter mean",
  digests: {
    result: "0x8b111b3a769d90e3b407bd760ede606e3d6568b857690f50e7c863c01611a7b7",
    "gradient 0": "0x9e9b0452b48bbadeee984244d9550276c78c212bd8a98ecd42c9b570666a45ad",
  },
  vector: ({ classes, floats }) => ({
    y: asOne(scatterMean(floats(3153, 1, 13), reshape(classes, [1, 13]), 20, 1)),
    gradient: floats(3154, 1, 20),
  }),
  gradient: [
    {
      operands: [{ shape: [2, 3] }, ROWS],
      apply: (x, index) => scatterMean(x, index, 4, 1),
      textbook: (_, [a, b, c, d, e, f]) => [b, (a + c) / 2, 0, 0, 0, 0, f, (d + e) / 2],
    },
  ],
} satisfies Operator["check"];

scatter.check = {
  number: 199,
  name: "scatter",
  digests: {
    result: "0x5997cd5c8f247996da3cfa3e55f338b717b9c186e1e8d4f14958089094d7a6b3",
    "gradient 0": "0x0d611670f0f79473a9211f15348041cc12d7025804a9a75a817f9def5c2c3b26",
    "gradient 1": "0x5e6fa006d586581b4d9c19b89d35d637596db35efaa0e529693c6c3886cc503e",
  },
  vector: ({ x, classes, floats }) => ({
    y: asOne(scatter(x, 1, reshape(classes, [13, 1]), floats(3155, 13, 1))),
    gradient: floats(3156, 13, 37),
  }),
  gradient: [
    {
      title: "where the last of two is kept",
      operands: [{ shape: [2, 4] }, ROWS, { shape: [2, 3] }],
      apply: (x, index, source) => scatter(x, 1, index, source),
      textbook: (_, [, , c, d, e, f], _index, [, q, r, , t, u]) => [q, r, c, d, e, f, u, t],
    },
  ],
} satisfies Operator["check"];
