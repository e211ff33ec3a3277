/** Rows chosen by an index, and the gradient that adds them back in order. */
import { SCATTER_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { broadcastTo } from "./reduce.ts";
import { countOf, fold, gatherKernel, map, type Operand } from "../emit.ts";
import { builderOf, shapeError, type Value } from "../value.ts";
import { dense, reshape, transpose } from "./views.ts";

/**
 * Rows of `table` [rows, j…] chosen by an i32 `index` [i…], as [i…, j…]. A row number outside the table gives 0, and
 * is reported by the executor. The gradient of the table is a fold over the positions, in order.
 */
export function gather(table: Value, index: Value, name = "gather"): Value {
  const builder = builderOf(table, index);
  if (table.rank < 1 || index.dtype !== "i32")
    throw shapeError(builder, name, `takes rows of a tensor by an i32 index, not ${table} by ${index}`);
  const source = dense(table);
  const rows = dense(index, `${name}-index`);
  const out = gatherKernel(source, rows, 0, name);
  if (table.dtype === "i32") return out;
  return out.withOrigin([table], (gradient) => [scatterAdd(gradient, rows, table, `${name}-gradient`)]);
}

function scatterAdd(gradient: Value, index: Value, table: Value, name: string): Value {
  const [rows, ...row] = table.shape;
  const positions = countOf(index);
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
    ranging: "sum",
  });
  return reshape(out, table.shape);
}

/** One element of each row of x [n, classes], picked by an i32 index [n]. */
export function pick(x: Value, index: Value, name: string): Value {
  const [count, classes] = x.shape;
  const flat = map(FLAT_INDEX(classes), [index, { coordinate: 0 }], { name: `${name}-index`, shape: [count] });
  return gatherKernel(dense(reshape(x, [count * classes]), `${name}-rows`), flat, 0, name);
}

/** row · classes + index, or -1, which lies outside, for an index that is not a class. */
const FLAT_INDEX = (classes: number) =>
  defineProgram("ii", (index, row) => index.ult(classes).selectInt(row.mul(classes).add(index), -1));
