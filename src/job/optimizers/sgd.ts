/** Stochastic gradient descent, with momentum as entries of the state. */
import { map } from "../../graph/emit.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { zeros } from "../initializers.ts";
import { clipScale } from "./clipping.ts";
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
 * @throws {JobError} from the job's `close`, when the norm to clip to is not above 0
 */
export function sgd({ learningRate, momentum = 0, clipNorm }: SgdOptions): Optimizer {
  const rate = schedule(learningRate);
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
