/** Norms of gradients, of any magnitude that vf32 holds. */
import { describe } from "../../errors/arguments.ts";
import { JobError } from "../../errors/index.ts";
import { fold, map } from "../../graph/emit.ts";
import { add } from "../../graph/ops/add.ts";
import { maximum } from "../../graph/ops/maximum.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import { foldRows, reduceLast, sumRows } from "../../graph/rows.ts";
import { builderOf, expectFloat, type Value } from "../../graph/value.ts";
import { SUM_STEP } from "../../repops/kernels/kernel.ts";
import { defineProgram, float, type Float, int, type Int } from "../../repops/programs/expressions.ts";
import { settingError } from "../settings.ts";

const LARGEST = defineProgram("ff", (most, x) => most.max(x.abs()));
const MAX = defineProgram("ff", (most, x) => most.max(x));
/** Magnitudes of 2^126 and 2^127 are scaled like 2^125, because 2^-126 is no vf32. */
const scaleExponent = (largest: Float): Int => largest.min(2 ** 125).exponent();
/** The power of two that takes the largest magnitude to [1, 8). */
const SCALE = defineProgram("f", (largest) => float(1).ldexp(int(0).sub(scaleExponent(largest))));
/**
 * sum + (x · scale)². The bounds of ±8 never act; they tell the analysis of ranges that nothing overflows. A
 * term that is flushed to 0 is below 2^-102 of the largest one.
 */
const SQUARES = defineProgram("fff", (sum, x, scale) => {
  const scaled = x.mul(scale).max(-8).min(8);
  const term = scaled
    .abs()
    .lt(2 ** -51)
    .select(0, scaled);
  return sum.add(term.mul(term));
});
const ROOT = defineProgram("ff", (squares, largest) => squares.sqrt().ldexp(scaleExponent(largest)));

/** The greatest magnitude of all elements of f32 tensors of any shapes: an f32 scalar. */
function largestOf(values: readonly Value[], name: string): Value {
  const rows = (x: Value): Value =>
    foldRows([x], { steps: [LARGEST, MAX], clampRanges: ["none", "none"], start: 0, name });
  return values
    .map((x) => {
      if (x.rank === 0) return rows(reshape(x, [1]));
      if (x.rank === 1) return rows(x);
      const { value, shape, reduce } = reduceLast(reshape(x, [x.shape[0], -1]), [0]);
      return rows(fold(LARGEST, [value], { name, shape, reduce, start: 0, clampRange: "none" }));
    })
    .reduce((left, right) => maximum(left, right));
}

/** Σ (x · scale)² over all elements of an f32 tensor: an f32 scalar. */
function squaresOf(x: Value, scale: Value, name: string): Value {
  if (x.rank < 2) {
    const row = x.rank === 0 ? reshape(x, [1]) : x;
    return foldRows([row, broadcastTo(scale, row.shape)], {
      steps: [SQUARES, SUM_STEP],
      clampRanges: ["none", "sum"],
      start: 0,
      name,
    });
  }
  const { value, shape, reduce } = reduceLast(reshape(x, [x.shape[0], -1]), [0]);
  const operands = [value, broadcastTo(scale, value.shape)];
  const columns = fold(SQUARES, operands, { name, shape, reduce, start: 0, clampRange: "none" });
  return sumRows(columns, name);
}

/**
 * The square root of the sum of the squares of all gradients: f32 tensors of any shapes → an f32 scalar. All
 * are scaled by one power of two before they are squared, so a norm of 1e30 or of 1e-30 is as exact as one of
 * 1. A norm above 2^127 is 2^127.
 * @throws {JobError} when there are no gradients
 */
export function globalNorm(gradients: readonly Value[]): Value {
  if (!Array.isArray(gradients))
    throw settingError("globalNorm", `the gradients are ${describe(gradients)}; pass a list of values`);
  const list: readonly Value[] = gradients;
  if (list.length === 0)
    throw new JobError("NO_PARAMETERS", "there are no gradients, so there is no norm; make a parameter in the job");
  builderOf("globalNorm", Object.fromEntries(Array.from(list, (gradient, i) => [`gradient ${i}`, gradient])));
  for (const gradient of list) expectFloat(gradient, "globalNorm");
  const largest = largestOf(list, "largest");
  const scale = map(SCALE, [largest], { name: "norm-scale", shape: [] });
  const squares = list.map((gradient) => squaresOf(gradient, scale, "squares"));
  const total = squares.reduce((left, right) => add(left, right));
  return map(ROOT, [total, largest], { name: "gradient-norm", shape: [] });
}
