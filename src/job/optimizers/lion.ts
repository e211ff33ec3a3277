/** Lion: the sign of a momentum. */
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { floatOf } from "../settings.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";

/** What `lion` has of its own, and groups can set. */
interface LionSettings {
  /** The share of the momentum in the direction; default 0.9. */
  beta1?: number;
  /** The share of the momentum that each training step keeps; default 0.99. */
  beta2?: number;
  /** The share of a parameter, times the rate, that each training step takes off; default 0. */
  weightDecay?: number;
}

/** The options of `lion`. */
export interface LionOptions extends CommonOptions<LionSettings>, LionSettings {}

/**
 * Lion (Chen and others): weight' = weight - rate · (sign(beta1 · m + (1 - beta1) · gradient) + weightDecay ·
 * weight), m' = beta2 · m + (1 - beta2) · gradient. Its rate is some tenth of AdamW's. Metrics:
 * `learning-rate`, and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded
 */
export function lion(options: LionOptions): Optimizer {
  return optimizerOf<LionSettings>("lion", options, ["beta1", "beta2", "weightDecay"], lionRule);
}

function lionRule(of: string, options: LionSettings): Rule {
  const beta1 = floatOf(of, "beta1", options.beta1 ?? 0.9, SHARE);
  const beta2 = floatOf(of, "beta2", options.beta2 ?? 0.99, SHARE);
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0, NOT_NEGATIVE);
  const weight = defineProgram("fffff", (w, m, gradient, scale, lr) => {
    const mixed = m.mul(beta1).add(gradient.mul(scale).mul(1 - beta1));
    const sign = mixed.lt(0).select(-1, mixed.gt(0).select(1, 0));
    return (decay === 0 ? w : w.sub(w.mul(lr.mul(decay)))).sub(sign.mul(lr));
  });
  const momentum = defineProgram("fff", (m, gradient, scale) => m.mul(beta2).add(gradient.mul(scale).mul(1 - beta2)));
  return (update) => {
    const { value, gradient, scale, rate } = update;
    const m = update.state("m");
    const next = update.map(weight, [value, m, gradient, scale, rate], "weight");
    update.advance(m, momentum, [m, gradient, scale], "m");
    return next;
  };
}
