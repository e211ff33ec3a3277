/** Optimizers: the update of every parameter as nodes of the step graph, their moments as entries of the state. */
import { JobError } from "../errors/index.ts";
import { add, mul } from "../graph/ops/elementwise.ts";
import { map } from "../graph/emit.ts";
import { fill } from "../graph/ops/fill.ts";
import { broadcastTo, dotColumns, dotRows, sum } from "../graph/ops/reduce.ts";
import type { Value } from "../graph/value.ts";
import { defineProgram, float, type Float } from "../repops/programs/expressions.ts";
import type { Context, Parameter } from "./context.ts";
import { constant, zeros } from "./initializers.ts";
import { type Schedule, schedule } from "./schedules.ts";
import { reshape } from "../graph/ops/views.ts";

/** Calls `context.update` for every parameter. */
export type Optimizer = (context: Context, parameters: readonly Parameter[], gradients: readonly Value[]) => void;

/** Operands enter a range in which squares and products neither over- nor underflow, which spares the guards. */
const ranged = (x: Float, exponent: number): Float =>
  x
    .abs()
    .lt(2 ** -exponent)
    .select(0, x)
    .max(-(2 ** exponent))
    .min(2 ** exponent);

const NORM = defineProgram("f", (squares) => squares.sqrt());

/** The square root of the sum of the squares of all gradients: an f32 scalar. */
export function globalNorm(gradients: readonly Value[]): Value {
  const squares = gradients.map((gradient) => {
    if (gradient.rank === 0) return mul(gradient, gradient);
    if (gradient.rank === 1) return dotRows(gradient, gradient, "squares");
    const rows = reshape(gradient, [gradient.shape[0], -1]);
    return sum(dotColumns(rows, rows, "squares"), [0], "squares");
  });
  const total = squares.reduce((left, right) => add(left, right));
  return map(NORM, [total], { name: "gradient-norm", shape: [] });
}

/** min(1, limit/norm), the factor by which clipping scales every gradient. */
function clipFactor(norm: Value, limit: number): Value {
  const program = defineProgram("f", (value) => float(limit).div(value.max(limit)));
  return map(program, [norm], { name: "clip", shape: [] });
}

/** The gradients' common factor, and the norm among the metrics. */
function scaleOf(context: Context, gradients: readonly Value[], clipNorm: number | undefined): Value {
  if (clipNorm === undefined) return fill(context.builder, [], 1, "clip");
  if (!(clipNorm > 0))
    throw new JobError("SETTING", `a gradient norm of ${clipNorm} can't be clipped to; it must be above 0`);
  const norm = globalNorm(gradients);
  context.metric("gradient-norm", norm);
  return clipFactor(norm, clipNorm);
}

export interface AdamWOptions {
  learningRate: number | Schedule;
  /** 0.9 */
  beta1?: number;
  /** 0.99 */
  beta2?: number;
  /** 1e-8 */
  epsilon?: number;
  /** Decoupled, on parameters of two axes and more; 0.01. */
  weightDecay?: number;
  /** The norm of all gradients together is clipped to this; absent: no clipping. */
  clipNorm?: number;
}

/**
 * AdamW (Loshchilov and Hutter). Three nodes a parameter: m', v' and w'. The bias corrections come from running products
 * in the state, so that no power is ever taken.
 */
export function adamW(options: AdamWOptions): Optimizer {
  const { beta1 = 0.9, beta2 = 0.99, epsilon = 1e-8, weightDecay = 0.01, clipNorm } = options;
  const rate = schedule(options.learningRate);
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
      const scale = scaleOf(context, gradients, clipNorm);
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

export interface SgdOptions {
  learningRate: number | Schedule;
  /** 0 for none. */
  momentum?: number;
  clipNorm?: number;
}

/** Stochastic gradient descent: velocity' = momentum · velocity + gradient, weight' = weight - rate · velocity'. */
export function sgd({ learningRate, momentum = 0, clipNorm }: SgdOptions): Optimizer {
  const rate = schedule(learningRate);
  const velocity = defineProgram("fff", (v, gradient, scale) => v.mul(momentum).add(gradient.mul(scale)));
  const still = defineProgram("ff", (gradient, scale) => gradient.mul(scale));
  const weight = defineProgram("fff", (w, direction, lr) => w.sub(direction.mul(lr)));
  return (context, parameters, gradients) =>
    context.scope("optimizer", () => {
      const lr = rate(context);
      context.metric("learning-rate", lr);
      const scale = scaleOf(context, gradients, clipNorm);
      parameters.forEach(({ name, value }, i) =>
        context.scope(name, () => {
          const { shape } = value;
          const over = (scalar: Value): Value => broadcastTo(scalar, shape);
          let direction: Value;
          if (momentum === 0) direction = map(still, [gradients[i], over(scale)], { name: "direction", shape });
          else {
            const state = context.state(`optimizer/velocity/${name}`, value, zeros);
            direction = map(velocity, [state, gradients[i], over(scale)], { name: "velocity", shape });
            context.update(state, direction);
          }
          context.update(value, map(weight, [value, direction, over(lr)], { name: "weight", shape }));
        }),
      );
    });
}
