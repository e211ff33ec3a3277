/** Operators over rows that normalise: softmax, cross-entropy, layer norm; with gradients of their own. */
import { exp } from "../../repops/functions/exponential.ts";
import { log } from "../../repops/functions/logarithm.ts";
import { rsqrt } from "../../repops/functions/roots.ts";
import { defineProgram, float, type Float } from "../../repops/programs/expressions.ts";
import { map } from "../emit.ts";
import { pick } from "./gather.ts";
import { broadcastTo, dotColumns, dotRows, maxRows, mean, sum, sumRowsOf } from "./reduce.ts";
import { builderOf, expectFloat, shapeError, type Value } from "../value.ts";
import { dense, reshape } from "./views.ts";

/** exp(x - max), and exactly 0 below e^-80: what is masked has no share at all. */
const shiftedExp = (x: Float, max: Float): Float => {
  const shifted = x.sub(max);
  return shifted.lt(-80).select(0, exp(shifted));
};
const SHIFTED_EXP = defineProgram("ff", shiftedExp);
const DIVIDE = defineProgram("ff", (x, y) => x.div(y));
const SOFTMAX_GRADIENT = defineProgram("fff", (y, gradient, dot) => y.mul(gradient.sub(dot)));

/** A value of one element a row, read along the rows of x. */
function perRow(value: Value, x: Value): Value {
  return broadcastTo(reshape(value, [...value.shape, 1]), x.shape);
}

function softmaxParts(x: Value, name: string): { max: Value; powers: Value; total: Value } {
  const max = maxRows(x, `${name}-max`);
  const powers = map(SHIFTED_EXP, [x, perRow(max, x)], { name: `${name}-exp`, shape: x.shape });
  return { max, powers, total: sumRowsOf(powers, `${name}-sum`) };
}

/** exp(x - max) / Σ exp(x - max) over the last axis. */
export function softmax(x: Value, name = "softmax"): Value {
  expectFloat(x, name);
  const { powers, total } = softmaxParts(x, name);
  const y = map(DIVIDE, [powers, perRow(total, x)], { name, shape: x.shape });
  return y.withOrigin([x], (gradient) => {
    const dot = perRow(dotRows(y, gradient, `${name}-gradient-dot`), x);
    return [map(SOFTMAX_GRADIENT, [y, gradient, dot], { name: `${name}-gradient`, shape: x.shape })];
  });
}

const ROW_LOSS = defineProgram("fff", (total, max, target) => log(total).add(max.sub(target)));
/** (softmax - 1 at the target) times the row's gradient. */
const LOSS_GRADIENT = defineProgram("ffiif", (power, total, target, column, gradient) =>
  power.div(total).sub(target.eq(column).select(1, 0)).mul(gradient),
);

/**
 * The mean over rows of -log softmax(logits)[target], in nats.
 * @param logits f32 [..., classes]
 * @param targets i32 [...], from 0 to classes - 1; a row whose target lies outside counts as one with logit 0
 */
export function crossEntropy(logits: Value, targets: Value, name = "cross-entropy"): Value {
  const builder = builderOf(logits, targets);
  expectFloat(logits, name);
  const classes = logits.shape[logits.rank - 1];
  if (targets.dtype !== "i32" || targets.shape.join() !== logits.shape.slice(0, -1).join())
    throw shapeError("OPERANDS", builder, name, `targets ${targets} for logits ${logits}; one i32 a row is needed`);
  const rows = reshape(logits, [-1, classes]);
  const target = dense(reshape(targets, [-1]));
  const { max, powers, total } = softmaxParts(rows, name);
  const chosen = pick(rows, target, `${name}-target`);
  const losses = map(ROW_LOSS, [total, max, chosen], { name: `${name}-rows`, shape: total.shape });
  const perRowLoss = losses.withOrigin([rows], (gradient) => {
    const operands = [powers, perRow(total, rows), perRow(target, rows), { coordinate: 1 }, perRow(gradient, rows)];
    return [map(LOSS_GRADIENT, operands, { name: `${name}-gradient`, shape: rows.shape })];
  });
  return mean(perRowLoss, undefined, name);
}

const CENTER = defineProgram("ff", (x, mean) => x.sub(mean));
const NORMAL = defineProgram("ff", (centered, scale) => centered.mul(scale));
const AFFINE = defineProgram("fff", (normal, weight, bias) => normal.mul(weight).add(bias));
const PRODUCT = defineProgram("ff", (a, b) => a.mul(b));
/** scale · (g - mean(g) - x̂ · mean(g·x̂)) */
const NORM_GRADIENT = defineProgram("fffff", (scale, gradient, meanGradient, normal, meanProduct) =>
  scale.mul(gradient.sub(meanGradient).sub(normal.mul(meanProduct))),
);

/**
 * (x - mean) / sqrt(variance + epsilon) · weight + bias over the last axis.
 * @param x f32 [..., n]
 * @param weight f32 [n]
 * @param bias f32 [n]
 */
export function layerNorm(x: Value, weight: Value, bias: Value, epsilon = 1e-5, name = "layer-norm"): Value {
  const builder = builderOf(x, weight, bias);
  const n = x.shape[x.rank - 1];
  if (x.rank < 1 || weight.shape.join() !== `${n}` || bias.shape.join() !== `${n}`)
    throw shapeError("OPERANDS", builder, name, `weight ${weight} and bias ${bias} for rows of ${x}`);
  const rows = reshape(x, [-1, n]);
  const shape = rows.shape;
  const over = (value: Value): Value => broadcastTo(value, shape);
  const average = defineProgram("f", (total) => total.mul(1 / n));
  const meanOf = (total: Value, label: string): Value => map(average, [total], { name: label, shape: total.shape });
  const scaleOf = defineProgram("f", (total) => rsqrt(total.mul(1 / n).add(float(epsilon))));

  const mu = meanOf(sumRowsOf(rows, `${name}-sum`), `${name}-mean`);
  const centered = map(CENTER, [rows, perRow(mu, rows)], { name: `${name}-centered`, shape });
  const squares = dotRows(centered, centered, `${name}-squares`);
  const scale = map(scaleOf, [squares], { name: `${name}-scale`, shape: squares.shape });
  const normal = map(NORMAL, [centered, perRow(scale, rows)], { name: `${name}-normal`, shape });
  const y = map(AFFINE, [normal, over(weight), over(bias)], { name, shape });
  const origin = y.withOrigin([rows, weight, bias], (gradient) => {
    const label = `${name}-gradient`;
    const inner = map(PRODUCT, [gradient, over(weight)], { name: label, shape });
    const meanGradient = perRow(meanOf(sumRowsOf(inner, `${label}-sum`), `${label}-mean`), rows);
    const meanProduct = perRow(meanOf(dotRows(inner, normal, `${label}-dot`), `${label}-mean`), rows);
    const operands = [perRow(scale, rows), inner, meanGradient, normal, meanProduct];
    return [
      map(NORM_GRADIENT, operands, { name: label, shape }),
      dotColumns(gradient, normal, `${name}-weight-gradient`),
      sum(gradient, [0], `${name}-bias-gradient`),
    ];
  });
  return reshape(origin, x.shape);
}
