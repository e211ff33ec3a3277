/** Stochastic gradient descent, with momentum as entries of the state. */
import { describe } from "../../errors/arguments.ts";
import type { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { floatOf, settingError } from "../settings.ts";
import { decayedGradient } from "./gradient.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";

/** What `sgd` has of its own, and groups can set. */
interface SgdSettings {
  /** The share of the velocity that each training step keeps; default 0: no velocity. */
  momentum?: number;
  /** The share of the gradient that does not enter the velocity, after the first training step; default 0. */
  dampening?: number;
  /** The share of a parameter that is added to its gradient; default 0. */
  weightDecay?: number;
  /**
   * Whether the step is along gradient + momentum · velocity; default false. It needs a momentum and no
   * dampening.
   */
  nesterov?: boolean;
}

/** The options of `sgd`. */
export interface SgdOptions extends CommonOptions<SgdSettings>, SgdSettings {}

/**
 * Stochastic gradient descent as PyTorch's: velocity' = momentum · velocity + (1 - dampening) · gradient,
 * weight' = weight - rate · velocity'; in the first training step velocity' is the gradient. Metrics:
 * `learning-rate`, and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded to
 *   binary32: the momentum has to be in [0, 1), limits above 0, the rate and the decay not negative
 */
export function sgd(options: SgdOptions): Optimizer {
  const own = ["momentum", "dampening", "weightDecay", "nesterov"] as const;
  return optimizerOf<SgdSettings>("sgd", options, own, sgdRule);
}

function sgdRule(of: string, options: SgdSettings): Rule {
  const momentum = floatOf(of, "momentum", options.momentum ?? 0, SHARE);
  const dampening = floatOf(of, "dampening", options.dampening ?? 0, { least: 0, most: 1 });
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0, NOT_NEGATIVE);
  const nesterov: unknown = options.nesterov ?? false;
  if (typeof nesterov !== "boolean") throw settingError(of, `nesterov is ${describe(nesterov)}; take true or false`);
  if (nesterov && (momentum === 0 || dampening !== 0))
    throw settingError(of, "nesterov needs a momentum above 0 and a dampening of 0; set them, or leave nesterov out");
  const { over, operands } = decayedGradient(decay);
  const share = defineProgram("i", (step) => step.eq(1).select(1, 1 - dampening));
  const velocity = over(2, (g, v, taken) => v.mul(momentum).add(g.mul(taken)));
  const undamped = over(1, (g, v) => v.mul(momentum).add(g));
  const plain = over(0, (g) => g);
  const ahead = over(1, (g, v) => g.add(v.mul(momentum)));
  const weight = defineProgram("fff", (w, direction, lr) => w.sub(direction.mul(lr)));
  return (update) => {
    const own = operands(update);
    let direction: Value;
    if (momentum === 0) direction = update.map(plain, own, "direction");
    else {
      const v = update.state("velocity");
      const taken = (): Value => update.shared.scalar(share, [update.shared.updates], "share");
      direction =
        dampening === 0
          ? update.advance(v, undamped, [v, ...own], "velocity")
          : update.advance(v, velocity, [v, taken(), ...own], "velocity");
      if (nesterov) direction = update.map(ahead, [direction, ...own], "direction");
    }
    return update.map(weight, [update.value, direction, update.rate], "weight");
  };
}
