/** RAdam: Adam that takes plain steps until its mean of squares can be trusted. */
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { constant } from "../initializers.ts";
import { floatOf, settingError } from "../settings.ts";
import { MOMENT_OPTIONS, type MomentSettings } from "./adam.ts";
import { decayedGradient, meanSquare, squarable } from "./gradient.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";

/** The options of `rAdam`. */
export interface RAdamOptions extends CommonOptions<MomentSettings>, MomentSettings {}

/**
 * RAdam (Liu and others), with PyTorch's defaults; its decay is part of the gradient, and by default 0.
 * Metrics: `learning-rate`, and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded
 */
export function rAdam(options: RAdamOptions): Optimizer {
  return optimizerOf<MomentSettings>("rAdam", options, MOMENT_OPTIONS, rAdamRule);
}

function rAdamRule(of: string, options: MomentSettings): Rule {
  const beta1 = floatOf(of, "beta1", options.beta1 ?? 0.9, SHARE);
  const beta2 = floatOf(of, "beta2", options.beta2 ?? 0.999, SHARE);
  const epsilon = floatOf(of, "epsilon", options.epsilon ?? 1e-8, NOT_NEGATIVE);
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0, NOT_NEGATIVE);
  const { over, operands } = decayedGradient(decay);
  const first = over(1, (g, m) => m.mul(beta1).add(squarable(g).mul(1 - beta1)));
  const second = over(1, (g, v) => meanSquare(g, v, beta2));
  const longest = 2 / (1 - beta2) - 1;
  if (longest <= 5)
    throw settingError(of, `beta2 is ${beta2}, for which no step is ever rectified; take one above 2/3`);
  const power = defineProgram("f", (before) => before.mul(beta2));
  // Σ t·β2^(t-1), of which the length 2/(1 - β2) - 1 - 2t·β2^t/(1 - β2^t) is made without cancellation.
  const sum = defineProgram("fif", (before, step, next) => before.add(step.toFloat().mul(next).div(beta2)));
  /** The rectification, or 0 where the step is plain. */
  const rectification = defineProgram("ff", (total, correction) => {
    const length = total
      .mul(2 * (1 - beta2))
      .mul(correction)
      .sub(1);
    const root = length
      .sub(4)
      .mul(length.sub(2))
      .mul(longest / ((longest - 4) * (longest - 2)))
      .div(length)
      .sqrt();
    return length.gt(5).select(root, 0);
  });
  const weight = defineProgram("ffffff", (w, m, v, size, correction, factor) => {
    const step = m.mul(size);
    const adaptive = v.sqrt().add(epsilon).mul(correction.sqrt());
    return w.sub(factor.eq(0).select(step, step.mul(factor).div(adaptive)));
  });
  return (update) => {
    const { shared } = update;
    const own = operands(update);
    const [m, v] = [update.state("m"), update.state("v")];
    const nextM = update.advance(m, first, [m, ...own], "m");
    const nextV = update.advance(v, second, [v, ...own], "v");
    const correction = shared.correction(beta2);
    const factor = shared.once(`rectification ${beta2}`, () => {
      const next = shared.running(`power/${beta2}`, power, [], constant(1));
      const total = shared.running(`sum-of-powers/${beta2}`, sum, [shared.updates, next]);
      return shared.scalar(rectification, [total, correction], "rectification");
    });
    return update.map(weight, [update.value, nextM, nextV, update.size(beta1), correction, factor], "weight");
  };
}
