/** RMSprop: gradients divided by the root of a running mean of their squares. */
import { describe } from "../../errors/arguments.ts";
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { floatOf, settingError } from "../settings.ts";
import { decayedGradient, meanSquare, squarable } from "./gradient.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";

/** What `rmsProp` has of its own, and groups can set. */
interface RmsPropSettings {
  /** The share of the mean of the squares that each training step keeps; default 0.99. */
  alpha?: number;
  /** Added to the root; default 1e-8. */
  epsilon?: number;
  /** The share of a parameter that is added to its gradient; default 0. */
  weightDecay?: number;
  /** The share of the velocity that each training step keeps; default 0: no velocity. */
  momentum?: number;
  /** Whether the square of the mean gradient is taken off the mean square; default false. */
  centered?: boolean;
}

/** The options of `rmsProp`. */
export interface RmsPropOptions extends CommonOptions<RmsPropSettings>, RmsPropSettings {}

/**
 * RMSprop (Hinton), with PyTorch's defaults, of which the learning rate is 0.01 there. Metrics:
 * `learning-rate`, and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded
 */
export function rmsProp(options: RmsPropOptions): Optimizer {
  const own = ["alpha", "epsilon", "weightDecay", "momentum", "centered"] as const;
  return optimizerOf<RmsPropSettings>("rmsProp", options, own, rmsPropRule);
}

function rmsPropRule(of: string, options: RmsPropSettings): Rule {
  const alpha = floatOf(of, "alpha", options.alpha ?? 0.99, SHARE);
  const epsilon = floatOf(of, "epsilon", options.epsilon ?? 1e-8, NOT_NEGATIVE);
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0, NOT_NEGATIVE);
  const momentum = floatOf(of, "momentum", options.momentum ?? 0, SHARE);
  const centered: unknown = options.centered ?? false;
  if (typeof centered !== "boolean") throw settingError(of, `centered is ${describe(centered)}; take true or false`);
  const { over, operands } = decayedGradient(decay);
  const second = over(1, (g, v) => meanSquare(g, v, alpha));
  const first = over(1, (g, m) => m.mul(alpha).add(squarable(g).mul(1 - alpha)));
  const direction = over(1, (g, v) => squarable(g).div(v.sqrt().add(epsilon)));
  const central = over(2, (g, v, m) => squarable(g).div(v.sub(m.mul(m)).sqrt().add(epsilon)));
  const velocity = defineProgram("ff", (before, step) => before.mul(momentum).add(step));
  const weight = defineProgram("fff", (w, step, lr) => w.sub(step.mul(lr)));
  return (update) => {
    const own = operands(update);
    const v = update.state("v");
    const means = [update.advance(v, second, [v, ...own], "v")];
    if (centered) {
      const m = update.state("m");
      means.push(update.advance(m, first, [m, ...own], "m"));
    }
    let step = update.map(centered ? central : direction, [...means, ...own], "direction");
    if (momentum > 0) {
      const before = update.state("velocity");
      step = update.advance(before, velocity, [before, step], "velocity");
    }
    return update.map(weight, [update.value, step, update.rate], "weight");
  };
}
