/**
 * AdamW: the update of each parameter is operators of the step graph; its moments are entries of the state.
 */
import { map } from "../../graph/emit.ts";
import { mul } from "../../graph/ops/mul.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram, float, type Float } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { constant, zeros } from "../initializers.ts";
import { expectOptions, floatOf } from "../settings.ts";
import { clipNormOf, clipScale } from "./clipping.ts";
import type { Optimizer } from "./optimizer.ts";
import { type Schedule, schedule } from "./schedule.ts";

/**
 * Operands are clamped to a range in which squares and products neither overflow nor underflow, so no guards
 * are needed.
 */
const ranged = (x: Float, exponent: number): Float =>
  x
    .abs()
    .lt(2 ** -exponent)
    .select(0, x)
    .max(-(2 ** exponent))
    .min(2 ** exponent);

/** The options of `adamW`. */
export interface AdamWOptions {
  /** A constant rate, or a function of the number of the training step. */
  learningRate: number | Schedule;
  /** The share of the mean of the gradients that each training step keeps; default 0.9. */
  beta1?: number;
  /** The share of the mean of their squares that each training step keeps; default 0.99. */
  beta2?: number;
  /** Added to the root of the mean square; default 1e-8. */
  epsilon?: number;
  /** Decoupled decay of parameters with two axes or more; default 0.01. */
  weightDecay?: number;
  /** The norm of all gradients together is clipped to this value; default no clipping. */
  clipNorm?: number;
}

/**
 * AdamW (Loshchilov and Hutter). It adds three operators for each parameter: m', v' and w'. The bias
 * corrections come from running products in the state, so no power is computed. Metrics: `learning-rate`, and
 * `gradient-norm` with clipping.
 *
 *     optimizer: ({ steps }) =>
 *       adamW({ learningRate: warmupCosine({ peak: 3e-3, warmup: 20, steps }), clipNorm: 1 })
 *
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded to
 *   binary32: shares have to be in [0, 1), a norm above 0, the others not negative
 */
export function adamW(options: AdamWOptions): Optimizer {
  expectOptions("adamW", options, ["learningRate", "beta1", "beta2", "epsilon", "weightDecay", "clipNorm"]);
  const rate = schedule("adamW", options.learningRate);
  const beta1 = floatOf("adamW", "beta1", options.beta1 ?? 0.9, SHARE);
  const beta2 = floatOf("adamW", "beta2", options.beta2 ?? 0.99, SHARE);
  const epsilon = floatOf("adamW", "epsilon", options.epsilon ?? 1e-8, NOT_NEGATIVE);
  const weightDecay = floatOf("adamW", "weightDecay", options.weightDecay ?? 0.01, NOT_NEGATIVE);
  const clipNorm = clipNormOf("adamW", options.clipNorm);
  const first = defineProgram("fff", (m, gradient, scale) =>
    ranged(m, 60)
      .mul(beta1)
      .add(ranged(gradient.mul(scale), 51).mul(1 - beta1)),
  );
  const second = defineProgram("fff", (v, gradient, scale) => {
    const g = ranged(gradient.mul(scale), 51);
    return v
      .max(2 ** -100)
      .min(2 ** 103)
      .mul(beta2)
      .add(g.mul(g).mul(1 - beta2));
  });
  const decayed = (w: Float, lr: Float, decay: number): Float => (decay === 0 ? w : w.sub(w.mul(lr.mul(decay))));
  const weight = (decay: number) =>
    defineProgram("ffffff", (w, m, v, lr, correction1, correction2) => {
      const update = m.mul(correction1).div(v.mul(correction2).sqrt().add(epsilon));
      return decayed(ranged(w, 80), lr, decay).sub(update.mul(lr));
    });
  const [plain, shrunk] = [weight(0), weight(weightDecay)];

  return (context, parameters, gradients) =>
    context.scope("optimizer", () => {
      const lr = rate(context);
      context.metric("learning-rate", lr);
      const scale = clipScale(context, gradients, clipNorm);
      const corrections = [beta1, beta2].map((beta, i) => correction(context, beta, `beta${i + 1}-power`));
      parameters.forEach(({ name, value }, i) =>
        context.scope(name, () => {
          const { shape } = value;
          const over = (scalar: Value): Value => broadcastTo(scalar, shape);
          const moment = (which: string) => context.state(`optimizer/${which}/${name}`, value, zeros);
          const [m, v] = [moment("m"), moment("v")];
          const nextM = map(first, [m, gradients[i], over(scale)], { name: "m", shape });
          const nextV = map(second, [v, gradients[i], over(scale)], { name: "v", shape });
          const program = shape.length >= 2 ? shrunk : plain;
          const operands = [value, nextM, nextV, over(lr), ...corrections.map(over)];
          context.update(m, nextM);
          context.update(v, nextV);
          context.update(value, map(program, operands, { name: "weight", shape }));
        }),
      );
    });
}

/** 1/(1 - β^t), with β^t as a running product in the state. */
function correction(context: Context, beta: number, name: string): Value {
  const power = context.state(`optimizer/${name}`, { dtype: "f32", shape: [] }, constant(1));
  const next = mul(power, beta);
  context.update(power, next);
  const program = defineProgram("f", (product) => float(1).div(float(1).sub(product)));
  return map(program, [next], { name: `${name}-correction`, shape: [] });
}
