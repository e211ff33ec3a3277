/**
 * Rows brought to mean 0 and variance 1, or to a mean square of 1: what all norms share. It records no
 * gradients; `backward` gives them.
 *
 * A row is multiplied by a power of two that brings its largest magnitude to [1, 2), and its first element is
 * subtracted, before its mean is taken. The first is exact, and so is the second where the spread is small.
 * So rows of equal elements become exactly 0, a mean far above the spread costs no digits, and no magnitude
 * leaves the clamp ranges of folds.
 */
import { rsqrt } from "../repops/functions/roots.ts";
import { bitsOf } from "../repops/numbers/vf32.ts";
import { defineProgram, float } from "../repops/programs/expressions.ts";
import type { Program } from "../repops/programs/program.ts";
import { map } from "./emit.ts";
import { reshape } from "./ops/reshape.ts";
import { slice } from "./ops/slice.ts";
import { perRow } from "./ops/sum.ts";
import { dotRows, foldRows, sumRows } from "./rows.ts";
import type { Value } from "./value.ts";

const LARGEST = defineProgram("ff", (acc, x) => acc.max(x.abs()));
const LARGER = defineProgram("ff", (acc, x) => acc.max(x));
export const PRODUCT = defineProgram("ff", (a, b) => a.mul(b));
const SHIFTED = defineProgram("fff", (x, power, first) => x.mul(power).sub(first));
const CENTERED = defineProgram("ff", (x, mean) => x.sub(mean));
const MEAN = defineProgram("fff", (first, mean, power) => first.add(mean).div(power));
/** scale · (g - mean(g) - x̂ · mean(g·x̂)) */
const GRADIENT = defineProgram("fffff", (scale, gradient, meanGradient, normal, meanProduct) =>
  scale.mul(gradient.sub(meanGradient).sub(normal.mul(meanProduct))),
);
const RMS_GRADIENT = defineProgram("ffff", (scale, gradient, normal, meanProduct) =>
  scale.mul(gradient.sub(normal.mul(meanProduct))),
);

/**
 * The length of the pieces in which a row of n is summed, so that no sum is one long chain: n, or a divisor
 * of it. Folds of rows have 16 lanes where they can.
 */
function pieceOf(n: number): number {
  const divides = (length: number): boolean => n % length === 0;
  if (n < 64 || (n < 1024 && divides(16))) return n;
  for (let length = 256; length >= 64; length -= 16) if (divides(length)) return length;
  for (let length = 128; length >= 8; length--) if (divides(length) && length * length <= 4 * n) return length;
  return n;
}

/** Σ x, or Σ a·b, over the last axis, in pieces: f32 [rows, n] → [rows]. */
export function totalRows(values: readonly Value[], name: string): Value {
  const [count, n] = values[0].shape;
  const over = ([a, b]: readonly Value[], label: string): Value => (b ? dotRows(a, b, label) : sumRows(a, label));
  const length = pieceOf(n);
  if (length === n) return over(values, name);
  const pieces = values.map((value) => reshape(value, [count, n / length, length]));
  return sumRows(over(pieces, `${name}-pieces`), name);
}

/** Rows that were standardised. */
export interface Standard {
  /** f32 [rows, n] */
  readonly normal: Value;
  /** The gradient of the rows, given that of `normal`. */
  backward(gradient: Value): Value;
}

/**
 * The power of two that brings a row's largest magnitude to [1, 2). A row whose variance epsilon outweighs by
 * far gets a smaller one, with which epsilon stays a vf32.
 */
function powerOf(epsilon: number): Program {
  const exponent = (bitsOf(Math.fround(epsilon)) >>> 23) - 127;
  const least = epsilon === 0 ? -125 : Math.max(-125, Math.floor(exponent / 2) - 30);
  return defineProgram("f", (largest) => {
    const within = largest.max(2 ** least).min(2 ** 125);
    return within.mantissa().div(within);
  });
}

/** The kernels of `standardise` for its rows: a tensor like them, and one number for each row. */
function emitter(rows: Value, name: string) {
  const [count, n] = rows.shape;
  const over = (value: Value): Value => perRow(value, rows);
  const each = (program: Program, operands: Value[], label: string): Value =>
    map(program, operands, { name: `${name}-${label}`, shape: rows.shape });
  const ofRow = (program: Program, operands: Value[], label: string): Value =>
    map(program, operands, { name: `${name}-${label}`, shape: [count] });
  const share = defineProgram("f", (total) => total.div(n));
  const totalOf = (values: Value[], label: string): Value => totalRows(values, `${name}-${label}`);
  /** The mean of each row, given its sum. */
  const meanOf = (total: Value, label: string): Value => ofRow(share, [total], label);
  return { over, each, ofRow, totalOf, meanOf };
}

/** The power of two of each row: f32 [rows, n] → [rows]. */
export function powersOf(rows: Value, epsilon: number, name: string): Value {
  const steps = [LARGEST, LARGER] as const;
  const largest = foldRows([rows], { steps, clampRanges: ["none", "none"], start: 0, name: `${name}-largest` });
  return emitter(rows, name).ofRow(powerOf(epsilon), [largest], "power");
}

/** 1 / sqrt(Σx²/n + epsilon), with epsilon in the unit of the row. */
const scaleOf = (n: number, epsilon: number): Program =>
  defineProgram("ff", (squares, power) => rsqrt(squares.div(n).add(float(epsilon).mul(power).mul(power))));

/** What a scale in a row's own unit is in that of its elements. None is above 1/sqrt(epsilon). */
const ownScale = (epsilon: number): Program =>
  defineProgram("ff", (scale, power) => scale.mul(power).min(rsqrt(float(epsilon))));

/**
 * (x - mean) / sqrt(variance + epsilon) over the last axis, with the mean and the variance times `factor`.
 * @param rows f32 [rows, n], n > 0
 * @param epsilon from 0
 * @returns also `statistics`: f32 [rows] twice, the mean, and the variance (biased) times a factor
 */
export function standardise(
  rows: Value,
  epsilon: number,
  name: string,
): Standard & { statistics(factor: number): { mean: Value; variance: Value } } {
  const { over, each, ofRow, totalOf, meanOf } = emitter(rows, name);
  const n = rows.shape[1];
  const power = powersOf(rows, epsilon, name);
  const first = ofRow(PRODUCT, [reshape(slice(rows, 1, 0, 1), [rows.shape[0]]), power], "first");
  const shifted = each(SHIFTED, [rows, over(power), over(first)], "shifted");
  const mean = meanOf(totalOf([shifted], "sum"), "mean");
  const centered = each(CENTERED, [shifted, over(mean)], "centered");
  const squares = totalOf([centered, centered], "squares");
  const scale = ofRow(scaleOf(n, epsilon), [squares, power], "scale");
  const normal = each(PRODUCT, [centered, over(scale)], "normal");
  return {
    normal,
    backward: (gradient) => {
      const own = over(ofRow(ownScale(epsilon), [scale, power], "own-scale"));
      const meanGradient = over(meanOf(sumRows(gradient, `${name}-gradient-sum`), "gradient-mean"));
      const product = over(meanOf(dotRows(gradient, normal, `${name}-gradient-dot`), "gradient-mean"));
      return each(GRADIENT, [own, gradient, meanGradient, normal, product], "gradient");
    },
    statistics: (factor) => {
      const varianceOf = defineProgram("ff", (total, unit) => total.div(n).mul(factor).div(unit).div(unit));
      return {
        mean: ofRow(MEAN, [first, mean, power], "row-mean"),
        variance: ofRow(varianceOf, [squares, power], "variance"),
      };
    },
  };
}

/**
 * x / sqrt(mean(x²) + epsilon) over the last axis.
 * @param rows f32 [rows, n], n > 0
 * @param epsilon from 0
 */
export function standardiseSquares(rows: Value, epsilon: number, name: string): Standard {
  const { over, each, ofRow, totalOf, meanOf } = emitter(rows, name);
  const power = powersOf(rows, epsilon, name);
  const scaled = each(PRODUCT, [rows, over(power)], "scaled");
  const squares = totalOf([scaled, scaled], "squares");
  const scale = ofRow(scaleOf(rows.shape[1], epsilon), [squares, power], "scale");
  const normal = each(PRODUCT, [scaled, over(scale)], "normal");
  return {
    normal,
    backward: (gradient) => {
      const own = over(ofRow(ownScale(epsilon), [scale, power], "own-scale"));
      const product = over(meanOf(dotRows(gradient, normal, `${name}-gradient-dot`), "gradient-mean"));
      return each(RMS_GRADIENT, [own, gradient, normal, product], "gradient");
    },
  };
}
