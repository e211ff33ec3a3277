/** Variance and standard deviation, whatever the mean and the magnitudes. */
import { defineProgram } from "../../repops/programs/expressions.ts";
import { checkOptions, isPlainObject } from "../../errors/arguments.ts";
import { ANY, floatSetting } from "../../repops/numbers/settings.ts";
import { map } from "../emit.ts";
import { type Operator, rowsOf, type Textbook } from "../operator.ts";
import { expectElements, type Reduction, reduction } from "../reduction.ts";
import { scaledRows } from "../scaled-rows.ts";
import { expectFloat, settingOf, type Value } from "../value.ts";

const SQUARE = defineProgram("f", (x) => x.mul(x));
const CENTERED = defineProgram("ff", (x, mean) => x.sub(mean));

/** The options of a variance. */
export interface Spread extends Reduction {
  /** Subtracted from the number of elements before it divides; 1, which makes the estimate unbiased. */
  readonly correction?: number;
}

/** The scaled rows without their mean, and Σ of their squares over n - correction. */
function moments(x: Value, axes: Axes, options: string | Spread | undefined, label: string) {
  const given = isPlainObject(options) ? (options as Spread) : {};
  if (isPlainObject(options)) checkOptions(options, ["keepdim", "name", "correction"], settingOf(label));
  const { correction = 1, ...rest } = given;
  const reduced = reduction(x, axes, isPlainObject(options) ? rest : options, label);
  expectFloat(x, reduced.name);
  expectElements(x, reduced);
  const { name, count } = reduced;
  const refuse = settingOf(x.builder.label(name));
  floatSetting("the correction", correction, ANY, refuse);
  if (count - correction <= 0)
    throw refuse(
      `${count} elements minus a correction of ${correction} leave nothing to divide by; take a smaller one`,
    );
  const rows = scaledRows(x, reduced);
  const average = defineProgram("f", (total) => total.mul(1 / count));
  const center = (value: Value, label: string): Value => {
    const total = rows.sum(value, `${label}-sum`);
    const mean = map(average, [total], { name: `${name}-${label}`, shape: total.shape });
    return map(CENTERED, [value, rows.spread(mean)], { name: `${name}-centered`, shape: x.shape });
  };
  // The first mean is rounded; the mean of what is left is that rounding.
  const centered = center(center(rows.scaled, "mean"), "rest");
  const squares = map(SQUARE, [centered], { name: `${name}-squares`, shape: x.shape });
  return { ...rows, centered, squares: rows.sum(squares, "squares-sum"), divisor: count - correction };
}

type Axes = readonly number[] | undefined;

/**
 * The variance over axes, which are removed: f32 [...] → [...], Σ (x - mean)² / (n - correction). It is exact
 * to a few roundings whatever the mean and the magnitudes: each row is scaled by a power of two and centred
 * twice before it is squared.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "variance"; or `{ correction, keepdim, name }`, with a correction
 *   of 1 by default, as in PyTorch
 * @throws {ShapeError} when x is not f32, an axis does not exist or is listed twice, or there are no elements
 * @throws {GraphError} when the correction leaves nothing to divide by
 */
export function variance(x: Value, axes?: readonly number[], options?: string | Spread): Value {
  const { reduced, centered, squares, top, spread, divisor } = moments(x, axes, options, "variance");
  const { name } = reduced;
  const program = defineProgram("ff", (total, greatest) => {
    const exponent = greatest.exponent();
    return total.div(divisor).ldexp(exponent).ldexp(exponent);
  });
  const y = map(program, [squares, top], { name, shape: top.shape });
  const slope = defineProgram("fff", (gradient, left, greatest) =>
    left
      .ldexp(greatest.exponent())
      .mul(2 / divisor)
      .mul(gradient),
  );
  return reduced.finish(
    y.withOrigin([x], (gradient) => {
      const operands = [spread(gradient), centered, spread(top)];
      return [map(slope, operands, { name: `${name}-gradient`, shape: x.shape })];
    }),
  );
}

/**
 * The standard deviation over axes, which are removed: f32 [...] → [...], the square root of `variance`. The
 * gradient of a deviation of 0 is 0.
 * @param axes counted from the end where negative; default all axes, which gives a scalar
 * @param options the label of the operator, "std"; or `{ correction, keepdim, name }`, with a correction of 1
 *   by default, as in PyTorch
 * @throws {ShapeError | GraphError} as `variance` does
 */
export function std(x: Value, axes?: readonly number[], options?: string | Spread): Value {
  const { reduced, centered, squares, top, spread, divisor } = moments(x, axes, options, "std");
  const { name } = reduced;
  const program = defineProgram("ff", (total, greatest) => total.div(divisor).sqrt().ldexp(greatest.exponent()));
  const y = map(program, [squares, top], { name, shape: top.shape });
  const slope = defineProgram("fff", (gradient, left, total) =>
    left.div(total.div(divisor).sqrt().mul(divisor)).mul(gradient),
  );
  return reduced.finish(
    y.withOrigin([x], (gradient) => {
      const operands = [spread(gradient), centered, spread(squares)];
      return [map(slope, operands, { name: `${name}-gradient`, shape: x.shape })];
    }),
  );
}

function deviations(m: Textbook, rows: readonly (readonly number[])[], correction: number): number[] {
  return rows.map((row) => {
    const mean = row.reduce((a, b) => a + b) / row.length;
    return m.sqrt(row.reduce((sum, x) => sum + (x - mean) * (x - mean), 0) / (row.length - correction));
  });
}

variance.check = {
  number: 187,
  name: "variance",
  digests: {
    result: "0x899b4e7279b49515372522150c1c34b614515a8f66a8ae4b073fb88fc4fcf110",
    "gradient 0": "0xaf5ccce53a30a7c1d697e358fca2460eb2fb03ae0511c2f026d2240f61c9d961",
  },
  vector: ({ x, floats }) => ({ y: variance(x, [1]), gradient: floats(3143, 13) }),
  gradient: [
    {
      operands: [{ shape: [3, 5] }],
      apply: (x) => variance(x, [1]),
      textbook: (m, x) => deviations(m, rowsOf(x, 5), 1).map((deviation) => deviation * deviation),
    },
    {
      title: "far from 0, and without a correction",
      operands: [{ shape: [2, 32], from: 1000, to: 1000.01 }],
      apply: (x) => variance(x, [1], { correction: 0 }),
      textbook: (m, x) => deviations(m, rowsOf(x, 32), 0).map((deviation) => deviation * deviation),
    },
  ],
} satisfies Operator["check"];

std.check = {
  number: 188,
  name: "std",
  digests: {
    result: "0x3d9b5062baf1e9472d9c0495295350b0a2cf2398f9624f21bbb2083ae7ba69d4",
    "gradient 0": "0x0376678ef1e5f4dae094d7c2f0816fe02a8fce9c6b96943c27dd34433e2bc6b4",
  },
  vector: ({ x, floats }) => ({ y: std(x, [0]), gradient: floats(3144, 37) }),
  gradient: [
    {
      operands: [{ shape: [3, 5] }],
      apply: (x) => std(x, [1], { keepdim: true }),
      textbook: (m, x) => deviations(m, rowsOf(x, 5), 1),
    },
  ],
} satisfies Operator["check"];
