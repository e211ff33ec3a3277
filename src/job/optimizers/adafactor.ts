/** Adafactor: the mean squares of a matrix are kept as those of its rows and of its columns. */
import { map } from "../../graph/emit.ts";
import { mean } from "../../graph/ops/mean.ts";
import { reshape } from "../../graph/ops/reshape.ts";
import { transpose } from "../../graph/ops/transpose.ts";
import { dotColumns, dotRows } from "../../graph/rows.ts";
import type { Value } from "../../graph/value.ts";
import { elementCount } from "../../encoding/tensor.ts";
import { exp } from "../../repops/functions/exponential.ts";
import { log } from "../../repops/functions/logarithm.ts";
import { NOT_NEGATIVE } from "../../repops/numbers/settings.ts";
import { defineProgram, float } from "../../repops/programs/expressions.ts";
import { floatOf } from "../settings.ts";
import { squarable } from "./gradient.ts";
import { globalNorm } from "./norm.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";
import type { Update } from "./update.ts";

/** What `adafactor` has of its own, and groups can set. */
interface AdafactorSettings {
  /** The share of the newest squares in their mean is step^beta2Decay; at most 0, default -0.8. */
  beta2Decay?: number;
  /** The least root of a mean square; default 2^-23, the epsilon of binary32. */
  epsilon1?: number;
  /** The least size of a parameter by which its step is scaled; default 1e-3. */
  epsilon2?: number;
  /** The greatest root mean square of a step; at least 1, default 1. PyTorch calls it d. */
  clipping?: number;
  /** The share of a parameter, times the rate, that each training step takes off; default 0. */
  weightDecay?: number;
}

/** The options of `adafactor`. */
export interface AdafactorOptions extends CommonOptions<AdafactorSettings>, AdafactorSettings {}

/**
 * Adafactor (Shazeer and Stern) as PyTorch's, with its defaults, of which the learning rate is 0.01: it is
 * the greatest step, relative to the size of a parameter; from step 1/rate² on a step is 1/sqrt(step).
 * Metrics: `learning-rate`, and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded
 */
export function adafactor(options: AdafactorOptions): Optimizer {
  const own = ["beta2Decay", "epsilon1", "epsilon2", "clipping", "weightDecay"] as const;
  return optimizerOf<AdafactorSettings>("adafactor", options, own, adafactorRule);
}

function adafactorRule(of: string, options: AdafactorSettings): Rule {
  const power = floatOf(of, "beta2Decay", options.beta2Decay ?? -0.8, { most: 0 });
  const epsilon1 = floatOf(of, "epsilon1", options.epsilon1 ?? 2 ** -23, NOT_NEGATIVE);
  const epsilon2 = floatOf(of, "epsilon2", options.epsilon2 ?? 1e-3, NOT_NEGATIVE);
  const clipping = floatOf(of, "clipping", options.clipping ?? 1, { least: 1 });
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0, NOT_NEGATIVE);
  /** step^beta2Decay */
  const share = defineProgram("i", (step) => exp(log(step.toFloat()).mul(power)));
  const follow = defineProgram("fff", (before, square, taken) => before.add(square.sub(before).mul(taken)));
  const weight =
    decay === 0
      ? defineProgram("fff", (w, step, size) => w.sub(step.mul(size)))
      : defineProgram("ffff", (w, step, size, lr) => w.sub(w.mul(lr.mul(decay))).sub(step.mul(size)));

  /** The gradient over the root of its mean square, which rows and columns estimate. */
  const factored = (update: Update, g: Value, taken: Value): Value => {
    const { shape } = g;
    const [rows, columns] = shape.slice(-2);
    const batch = shape.slice(0, -2);
    const side = (which: string, sums: Value, count: number): Value => {
      const before = update.state(which, { dtype: "f32", shape: sums.shape });
      const average = defineProgram("f", (total) => total.mul(1 / count));
      const square = map(average, [sums], { name: `${which}-mean`, shape: sums.shape });
      return update.advance(before, follow, [before, square, taken], which);
    };
    const row = side("rows", dotRows(g, g, "row-squares"), columns);
    const turned = batch.length === 0 ? dotColumns(g, g, "column-squares") : undefined;
    const column = side("columns", turned ?? dotRows(transpose(g), transpose(g), "column-squares"), rows);
    const over = mean(row, [-1], "mean-of-rows");
    const program = defineProgram("ffff", (gradient, r, c, all) => {
      const square = r.div(all.max(epsilon1)).mul(c);
      return gradient.div(square.sqrt().max(epsilon1));
    });
    const operands = [
      g,
      reshape(row, [...batch, rows, 1]),
      reshape(column, [...batch, 1, columns]),
      reshape(over, [...batch, 1, 1]),
    ];
    return update.map(program, operands, "direction");
  };
  const single = (update: Update, g: Value, taken: Value): Value => {
    const before = update.state("v");
    const next = update.advance(
      before,
      defineProgram("fff", (v, gradient, newest) => {
        const bounded = squarable(gradient);
        return v.add(bounded.mul(bounded).sub(v).mul(newest));
      }),
      [before, g, taken],
      "v",
    );
    const program = defineProgram("ff", (gradient, v) => gradient.div(v.sqrt().max(epsilon1)));
    return update.map(program, [g, next], "direction");
  };

  return (update) => {
    const { shared, value, rate, context } = update;
    const taken = shared.once(`share ${power}`, () => shared.scalar(share, [shared.updates], "share"));
    const g = update.scaled();
    const direction = value.rank >= 2 ? factored(update, g, taken) : single(update, g, taken);
    const count = elementCount(value.shape);
    const sizeOf = defineProgram("fffi", (lr, norm, stepNorm, step) => {
      const root = float(count).sqrt();
      const relative = lr.min(float(1).div(step.toFloat().sqrt()));
      return norm.div(root).max(epsilon2).mul(relative).div(stepNorm.div(root).div(clipping).max(1));
    });
    const size = context.scope("size", () =>
      shared.scalar(sizeOf, [rate, globalNorm([value]), globalNorm([direction]), shared.updates], "size"),
    );
    return update.map(weight, [value, direction, size, ...(decay === 0 ? [] : [rate])], "weight");
  };
}
