/** Losses of rows whose classes weigh differently. */
import { type Refuse } from "../errors/arguments.ts";
import { MISTAKE } from "../repops/kernels/kernel.ts";
import { defineProgram } from "../repops/programs/expressions.ts";
import { dense } from "./dense.ts";
import { gatherKernel, map } from "./emit.ts";
import { mul } from "./ops/mul.ts";
import { logSoftmax } from "./ops/softmax.ts";
import { perRow, sum } from "./ops/sum.ts";
import { builderOf, expectFloat, shapeError, Value } from "./value.ts";

/** Rows of classes, with a label each. */
export interface LabelledRows {
  /** f32 [rows, classes] */
  readonly rows: Value;
  /** i32 [rows] */
  readonly label: Value;
  /** The label of rows that do not count. */
  readonly ignored: number;
}

/**
 * The weights as they are given: f32 [classes].
 * @throws {ShapeError} for another shape
 */
export function expectWeights(weight: unknown, rows: Value, name: string, refuse: Refuse): Value {
  if (!(weight instanceof Value)) throw refuse("the weight is no value of the graph; give f32 [classes]");
  builderOf(name, { rows, weight });
  expectFloat(weight, name);
  if (weight.rank !== 1 || weight.shape[0] !== rows.shape[1])
    throw shapeError(
      "OPERANDS",
      rows.builder,
      name,
      `the weight ${weight} is not one of each of ${rows.shape[1]} classes`,
    );
  return weight;
}

/** The weight of each row's class, 0 where the row does not count: f32 [rows]. */
export function weightsOfRows(weight: Value, { label, ignored }: LabelledRows, name: string): Value {
  const classes = weight.shape[0];
  const index = defineProgram("i", (found) => found.eq(ignored).selectInt(0, found.ult(classes).selectInt(found, -1)));
  const at = map(index, [label], { name: `${name}-weight-index`, shape: label.shape });
  // A label that is no class is a mistake in the data (spec 4.4).
  const found = gatherKernel(dense(weight, `${name}-weights`), at, MISTAKE, `${name}-weight`);
  const counted = defineProgram("if", (own, w) => own.eq(ignored).select(0, w));
  return map(counted, [label, found], { name: `${name}-row-weight`, shape: label.shape });
}

/**
 * The losses of rows with weights, and smoothed labels: -Σ over the classes of log softmax(x) times the
 * share of the label and the weight. f32 [rows]; the gradient flows to the rows.
 * @param ofRows what `weightsOfRows` gives
 */
export function weightedLosses(
  { rows, label, ignored }: LabelledRows,
  weight: Value,
  ofRows: Value,
  smoothing: number,
  name: string,
): Value {
  const even = smoothing / rows.shape[1];
  const share = defineProgram("iiff", (found, column, ofRow, ofClass) => {
    const own = found.eq(column).select(ofRow.mul(smoothing - 1), 0);
    return found.eq(ignored).select(0, own.sub(ofClass.mul(even)));
  });
  const plain = defineProgram("iif", (found, column, ofRow) =>
    found.eq(ignored).not().and(found.eq(column)).select(ofRow.neg(), 0),
  );
  const ofClass = new Value(rows.builder, weight.source, "f32", rows.shape, {
    offset: weight.offset,
    strides: [0, weight.strides[0]],
  });
  const operands = [perRow(label, rows), { coordinate: 1 }, perRow(ofRows, rows), ...(even === 0 ? [] : [ofClass])];
  const shares = map(even === 0 ? plain : share, operands, { name: `${name}-share`, shape: rows.shape });
  return sum(mul(logSoftmax(rows, -1, `${name}-log`), shares), [1], `${name}-rows`);
}
