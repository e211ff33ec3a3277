/** Rows chosen by an index, and the gradient that adds them back in order. */
import { MISTAKE, SCATTER_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { elementCount, type Shape } from "../../encoding/tensor.ts";
import { dense } from "../dense.ts";
import { fold, gatherKernel, map, type Operand } from "../emit.ts";
import { indices, type Operator } from "../operator.ts";
import { builderOf, shapeError, type Value } from "../value.ts";
import { reshape } from "./reshape.ts";
import { broadcastTo } from "./sum.ts";
import { transpose } from "./transpose.ts";

/**
 * Rows of a table chosen by an index: f32 or i32 [rows, j…] and i32 [i…] → [i…, j…]. A row number outside the
 * table gives 0, and the executor reports it. The gradient of an f32 table is a fold over the positions, in
 * order.
 * @param name the label of the operator; "gather"
 * @throws {ShapeError} when the table is a scalar or the index is not i32
 * @throws {GraphError} when the operands belong to two graphs
 */
export function gather(table: Value, index: Value, name = "gather"): Value {
  const builder = builderOf(name, { table, index });
  if (table.rank < 1 || index.dtype !== "i32")
    throw shapeError("DTYPE", builder, name, `takes rows of a tensor by an i32 index, not ${table} by ${index}`);
  const source = dense(table);
  const rows = dense(index, `${name}-index`);
  const out = gatherKernel(source, rows, 0, name);
  if (table.dtype === "i32") return out;
  return out.withOrigin([table], (gradient) => [addRows(gradient, rows, table.shape, `${name}-gradient`)]);
}

gather.check = {
  number: 25,
  name: "gather",
  digests: {
    result: "0x91cd659ada0a968575a88a8562049a2b23173585dab7f84d43c41a52a66ba5d3",
    "gradient 0": "0x1b93f33077b9ad80fa5da87ca8da7937e4790d5e2059766b560ad7c994896fc3",
  },
  vector: ({ classes, floats }) => ({ y: gather(floats(3018, 21, 5), classes), gradient: floats(3019, 13, 5) }),
  gradient: [
    {
      title: "of rows that are chosen twice",
      operands: [{ shape: [4, 3] }, indices([2, 2], [1, 3, 1, 0])],
      apply: (table, index) => gather(table, index),
      textbook: (_, table) => [1, 3, 1, 0].flatMap((row) => table.slice(3 * row, 3 * row + 3)),
    },
  ],
} satisfies Operator["check"];

/**
 * Rows added to a table of zeros at their index, in the order of their positions: f32 [i…, j…] and i32 [i…] →
 * `shape`, [rows, j…]. An index that is no row is passed over. No gradient flows.
 */
export function addRows(gradient: Value, index: Value, shape: Shape, name: string): Value {
  const [rows, ...row] = shape;
  const positions = elementCount(index.shape);
  const inner = elementCount(row);
  // The iteration space is [rows, inner] and the positions that are folded over.
  const space = [rows, inner, positions];
  const at = broadcastTo(reshape(index, [1, 1, positions]), space);
  const terms = transpose(reshape(dense(gradient, name), [positions, inner]));
  const x = broadcastTo(reshape(terms, [1, inner, positions]), space);
  const operands: Operand[] = [at, { coordinate: 0 }, x];
  const out = fold(SCATTER_STEP, operands, {
    name,
    shape: [rows, inner],
    reduce: [positions],
    start: 0,
    clampRange: "sum",
  });
  return reshape(out, shape);
}

/**
 * One element of each row of x [n, classes], picked by an i32 label [n]; 0 of each row whose label is
 * `ignored`. A label that is no class stops a run, and its loss is 2^127.
 */
export function pick(x: Value, label: Value, ignored: number, name: string): Value {
  const [count, classes] = x.shape;
  const operands: Operand[] = [label, { coordinate: 0 }];
  const flat = map(flatIndex(classes, ignored), operands, { name: `${name}-index`, shape: [count] });
  return gatherKernel(dense(reshape(x, [count * classes]), `${name}-rows`), flat, MISTAKE, name);
}

/**
 * row · classes + label; the first class for a label that is ignored, and -1, which is outside of the table,
 * for one that is no class.
 */
const flatIndex = (classes: number, ignored: number) =>
  defineProgram("ii", (label, row) => {
    const column = label.eq(ignored).selectInt(0, label);
    return column.ult(classes).selectInt(row.mul(classes).add(column), -1);
  });
/** row · classes + index; for an index that is not a class, -1, which is outside of the table. */
export const FLAT_INDEX = (classes: number) =>
  defineProgram("ii", (index, row) => index.ult(classes).selectInt(row.mul(classes).add(index), -1));
