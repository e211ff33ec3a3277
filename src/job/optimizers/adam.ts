/** Adam and AdamW: running means of the gradients and of their squares are entries of the state. */
import { describe } from "../../errors/arguments.ts";
import { NOT_NEGATIVE, SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram, type Float } from "../../repops/programs/expressions.ts";
import { floatOf, settingError } from "../settings.ts";
import { decayedGradient, meanSquare, rootOf, squarable } from "./gradient.ts";
import type { Optimizer } from "./optimizer.ts";
import { type CommonOptions, optimizerOf, type Rule } from "./rule.ts";

/** What `rAdam` has of its own, and groups can set. */
export interface MomentSettings {
  /** The share of the mean of the gradients that each training step keeps; default 0.9. */
  beta1?: number;
  /** The share of the mean of their squares that each training step keeps; default 0.999. */
  beta2?: number;
  /** Added to the root of the mean square; default 1e-8. */
  epsilon?: number;
  /**
   * `adamW`: the share of a parameter, times the rate, that each training step takes off; default 0.01, of
   * all parameters. `adam`: the share of a parameter that is added to its gradient; default 0.
   */
  weightDecay?: number;
}

/** What `adam` and `adamW` have of their own, and groups can set. */
export interface AdamSettings extends MomentSettings {
  /**
   * Whether the largest mean square so far takes the place of the present one (Reddi and others); default
   * false. The state then has one more copy of the parameters.
   */
  amsgrad?: boolean;
}

/** The options of `adam` and `adamW`. */
export interface AdamWOptions extends CommonOptions<AdamSettings>, AdamSettings {}

/** The names of these options. */
export const MOMENT_OPTIONS = ["beta1", "beta2", "epsilon", "weightDecay"] as const;
export const ADAM_OPTIONS = [...MOMENT_OPTIONS, "amsgrad"] as const;

const LARGER = defineProgram("ff", (before, v) => before.max(v));

/**
 * AdamW (Loshchilov and Hutter), with PyTorch's defaults. It adds three operators for each parameter: m', v'
 * and w'; with `amsgrad` a fourth. The decay is of all parameters, as in PyTorch; groups exempt some:
 *
 *     optimizer: ({ steps }) =>
 *       adamW({
 *         learningRate: warmupCosine({ peak: 3e-3, warmup: 20, steps }),
 *         clipNorm: 1,
 *         groups: [{ match: (_, shape) => shape.length < 2, weightDecay: 0 }],
 *       })
 *
 * Metrics: `learning-rate`, and `gradient-norm` with clipping by norm.
 *
 * @throws {JobError} for an unknown option, and for a value that is out of its range once it is rounded to
 *   binary32: shares have to be in [0, 1), limits above 0, the others not negative
 */
export function adamW(options: AdamWOptions): Optimizer {
  return optimizerOf<AdamSettings>("adamW", options, ADAM_OPTIONS, (of, own) => adamRule(of, own, 0.01, true));
}

/**
 * Adam (Kingma and Ba), with PyTorch's defaults. Its decay is part of the gradient; `adamW` has one that is
 * not.
 * @throws {JobError} as `adamW` does
 */
export function adam(options: AdamWOptions): Optimizer {
  return optimizerOf<AdamSettings>("adam", options, ADAM_OPTIONS, (of, own) => adamRule(of, own, 0, false));
}

/** @param decoupled whether the decay is of the weights and not part of the gradient */
export function adamRule(of: string, options: AdamSettings, defaultDecay: number, decoupled: boolean): Rule {
  const beta1 = floatOf(of, "beta1", options.beta1 ?? 0.9, SHARE);
  const beta2 = floatOf(of, "beta2", options.beta2 ?? 0.999, SHARE);
  const epsilon = floatOf(of, "epsilon", options.epsilon ?? 1e-8, NOT_NEGATIVE);
  const decay = floatOf(of, "weightDecay", options.weightDecay ?? defaultDecay, NOT_NEGATIVE);
  const { amsgrad = false } = options;
  if (typeof amsgrad !== "boolean") throw settingError(of, `amsgrad is ${describe(amsgrad)}; take true or false`);
  const { over, operands } = decayedGradient(decoupled ? 0 : decay);
  const first = over(1, (g, m) => m.mul(beta1).add(squarable(g).mul(1 - beta1)));
  const second = over(1, (g, v) => meanSquare(g, v, beta2));
  const moved = (w: Float, m: Float, v: Float, size: Float, correction: Float): Float =>
    w.sub(m.mul(size).div(rootOf(v, correction).add(epsilon)));
  const shrinks = decoupled && decay > 0;
  const weight = shrinks
    ? defineProgram("ffffff", (w, m, v, size, correction, lr) =>
        moved(w.sub(w.mul(lr.mul(decay))), m, v, size, correction),
      )
    : defineProgram("fffff", moved);
  return (update) => {
    const { shared } = update;
    const own = operands(update);
    const [m, v] = [update.state("m"), update.state("v")];
    const nextM = update.advance(m, first, [m, ...own], "m");
    const nextV = update.advance(v, second, [v, ...own], "v");
    const largest = amsgrad ? update.state("v-largest") : undefined;
    const used = largest ? update.advance(largest, LARGER, [largest, nextV], "v-largest") : nextV;
    const scalars = [update.size(beta1), shared.correction(beta2), ...(shrinks ? [update.rate] : [])];
    return update.map(weight, [update.value, nextM, used, ...scalars], "weight");
  };
}
