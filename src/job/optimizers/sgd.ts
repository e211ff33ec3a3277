/** Stochastic gradient descent, with momentum as entries of the state. */
import { map } from "../../graph/emit.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { zeros } from "../initializers.ts";
import { expectOptions, floatOf } from "../settings.ts";
import { clipNormOf, clipScale } from "./clipping.ts";
import type { Optimizer } from "./optimizer.ts";
import { type Schedule, schedule } from "./schedule.ts";

/** The options of `sgd`. */
export interface SgdOptions {
  /** A constant rate, or a function of the number of the training step. */
  learningRate: number | Schedule;
  /** The share of the velocity that each training step keeps; 0: no velocity. */
  momentum?: number;
  /** The norm of all gradients together is clipped to this value; default no clipping. */
  clipNorm?: number;
}

/**
 * Stochastic gradient descent: velocity' = momentum · velocity + gradient, weight' = weight - rate ·
 * velocity'. Metrics: `learning-rate`, and `gradient-norm` with clipping.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded to
 *   binary32: the momentum has to be in [0, 1), the norm above 0, the rate not negative
 */
export function sgd(options: SgdOptions): Optimizer {
  expectOptions("sgd", options, ["learningRate", "momentum", "clipNorm"]);
  const rate = schedule("sgd", options.learningRate);
  const momentum = floatOf("sgd", "momentum", options.momentum ?? 0, SHARE);
  const clipNorm = clipNormOf("sgd", options.clipNorm);
  const velocity = defineProgram("fff", (v, gradient, scale) => v.mul(momentum).add(gradient.mul(scale)));
  const still = defineProgram("ff", (gradient, scale) => gradient.mul(scale));
  const weight = defineProgram("fff", (w, direction, lr) => w.sub(direction.mul(lr)));
  return (context, parameters, gradients) =>
    context.scope("optimizer", () => {
      const lr = rate(context);
      context.metric("learning-rate", lr);
      const scale = clipScale(context, gradients, clipNorm);
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
