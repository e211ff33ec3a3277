/** NAdam: Adam with Nesterov's momentum. */
import { exp } from "../../repops/functions/exponential.ts";
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram, float, type Float, type Int } from "../../repops/programs/expressions.ts";
import { constant } from "../initializers.ts";
import { floatOf } from "../settings.ts";
import { decayedGradient, meanSquare, rootOf, squarable } from "./gradient.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";

/** What `nAdam` has of its own, and groups can set. */
interface NAdamSettings {
  /** The share of the mean of the gradients that each training step keeps; default 0.9. */
  beta1?: number;
  /** The share of the mean of their squares that each training step keeps; default 0.999. */
  beta2?: number;
  /** Added to the root of the mean square; default 1e-8. */
  epsilon?: number;
  /** The share of a parameter that is added to its gradient; default 0. */
  weightDecay?: number;
  /** How fast the momentum grows to beta1; default 4e-3. */
  momentumDecay?: number;
}

/** The options of `nAdam`. */
export interface NAdamOptions extends CommonOptions<NAdamSettings>, NAdamSettings {}

const LOG_OF_096 = -0.040821994520255166;

/**
 * NAdam (Dozat), with PyTorch's defaults, of which the learning rate is 2e-3 there. Metrics: `learning-rate`,
 * and `gradient-norm` with clipping by norm.
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded
 */
export function nAdam(options: NAdamOptions): Optimizer {
  const own = ["beta1", "beta2", "epsilon", "weightDecay", "momentumDecay"] as const;
  return optimizerOf<NAdamSettings>("nAdam", options, own, nAdamRule);
}

function nAdamRule(of: string, options: NAdamSettings): Rule {
  const beta1 = floatOf(of, "beta1", options.beta1 ?? 0.9, SHARE);
  const beta2 = floatOf(of, "beta2", options.beta2 ?? 0.999, SHARE);
  const epsilon = floatOf(of, "epsilon", options.epsilon ?? 1e-8, NOT_NEGATIVE);
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? 0, NOT_NEGATIVE);
  const momentumDecay = floatOf(of, "momentumDecay", options.momentumDecay ?? 4e-3, NOT_NEGATIVE);
  const { over, operands } = decayedGradient(decay);
  const first = over(1, (g, m) => m.mul(beta1).add(squarable(g).mul(1 - beta1)));
  const second = over(1, (g, v) => meanSquare(g, v, beta2));
  /** beta1 · (1 - 0.96^(step · momentumDecay) / 2) */
  const momentum = (step: Int): Float =>
    float(1)
      .sub(exp(step.toFloat().mul(momentumDecay * LOG_OF_096)).mul(0.5))
      .mul(beta1);
  const product = defineProgram("fi", (before, step) => before.mul(momentum(step)));
  const ofGradient = defineProgram("fif", (lr, step, all) =>
    float(1).sub(momentum(step)).div(float(1).sub(all)).mul(lr),
  );
  const ofMean = defineProgram("fif", (lr, step, all) => {
    const next = momentum(step.add(1));
    return next.div(float(1).sub(all.mul(next))).mul(lr);
  });
  const weight = defineProgram("ffffffff", (w, m, v, gradient, scale, a, b, correction) => {
    const scaled = gradient.mul(scale);
    const g = squarable(decay === 0 ? scaled : scaled.add(w.mul(decay)));
    const root = rootOf(v, correction).add(epsilon);
    return w.sub(g.mul(a).div(root)).sub(m.mul(b).div(root));
  });
  return (update) => {
    const { shared, rate, gradient, scale } = update;
    const own = operands(update);
    const [m, v] = [update.state("m"), update.state("v")];
    const nextM = update.advance(m, first, [m, ...own], "m");
    const nextV = update.advance(v, second, [v, ...own], "v");
    const key = `${beta1}/${momentumDecay}`;
    const all = shared.once(`momentum ${key}`, () =>
      shared.running(`momentum-product/${key}`, product, [shared.updates], constant(1)),
    );
    const [a, b] = [ofGradient, ofMean].map((program) => shared.scalar(program, [rate, shared.updates, all], "share"));
    const scalars = [scale, a, b, shared.correction(beta2)];
    return update.map(weight, [update.value, nextM, nextV, gradient, ...scalars], "weight");
  };
}
