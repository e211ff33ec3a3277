/** Norms with trained parameters: RMS, group and batch norm. */
import { describe } from "../../errors/arguments.ts";
import { map } from "../../graph/emit.ts";
import { batchNorm, batchStatistics } from "../../graph/ops/batch-norm.ts";
import { groupNorm } from "../../graph/ops/group-norm.ts";
import { rmsNorm } from "../../graph/ops/layer-norm.ts";
import type { Value } from "../../graph/value.ts";
import { NOT_NEGATIVE, POSITIVE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import type { Context } from "../context.ts";
import { ones, zeros } from "../initializers.ts";
import { countOf, expectOptions, floatOf, settingError } from "../settings.ts";
import { expectLayer } from "./arguments.ts";

/**
 * RMS norm over the last axis: f32 [..., n] → [..., n]. Parameter `weight` [n], initially ones.
 * @param name the scope of its parameter and operators
 * @param epsilon added to the mean square; default 1e-6
 * @throws {JobError} when x is a scalar, epsilon is negative or not a vf32, or the name is taken
 * @throws {ShapeError} when x is not f32
 */
export function rmsNormLayer(context: Context, name: string, x: Value, epsilon = 1e-6): Value {
  const path = expectLayer("rmsNormLayer", context, name, x);
  floatOf(path, "epsilon", epsilon, NOT_NEGATIVE);
  if (x.rank === 0) throw settingError(path, "a scalar can't be normalised; give it an axis");
  return context.scope(name, () => rmsNorm(x, context.parameter("weight", [x.shape[x.rank - 1]], ones), epsilon));
}

/**
 * Group norm: f32 [examples, channels, ...] → the same. Parameters `weight` [channels], initially ones, and
 * `bias` [channels], initially zeros.
 * @param name the scope of its parameters and operators
 * @param groups a divisor of the number of channels
 * @param epsilon added to the variance; default 1e-5
 * @throws {JobError} when x has no channels, epsilon is negative or not a vf32, or the name is taken
 * @throws {ShapeError | GraphError} as `groupNorm` does
 */
export function groupNormLayer(context: Context, name: string, x: Value, groups: number, epsilon = 1e-5): Value {
  const path = expectLayer("groupNormLayer", context, name, x);
  floatOf(path, "epsilon", epsilon, NOT_NEGATIVE);
  const channels = channelsOf(path, x);
  return context.scope(name, () =>
    groupNorm(
      x,
      groups,
      context.parameter("weight", [channels], ones),
      context.parameter("bias", [channels], zeros),
      epsilon,
    ),
  );
}

function channelsOf(path: string, x: Value): number {
  if (x.rank < 2) throw settingError(path, `takes [examples, channels, ...], not ${x}; reshape it`);
  return countOf(path, "the number of channels, the second extent of x,", x.shape[1]);
}

/** The options of `batchNormLayer`. */
export interface BatchNormLayerOptions {
  /** The share of the batch in the running statistics, from 0 to 1; default 0.1. */
  momentum?: number;
  /** Added to the variance; default 1e-5. */
  epsilon?: number;
  /**
   * Whether the statistics of the batch are used, and the running ones updated; default true, and false where
   * a model is evaluated. False is the evaluation form, with the running statistics.
   */
  training?: boolean;
}

/**
 * Batch norm: f32 [examples, channels, ...] → the same. Parameters `weight` [channels], initially ones, and
 * `bias` [channels], initially zeros. The state has `running_mean` [channels], initially zeros, and
 * `running_var` [channels], initially ones: as in PyTorch, a training step moves them towards the mean and
 * the unbiased variance of its batch by the momentum.
 * @param name the scope of its parameters, state and operators
 * @param options `momentum`, 0.1; `epsilon`, 1e-5; `training`, true unless a model is evaluated
 * @throws {JobError} when x has no channels, an option is unknown or out of its range, or the name is taken
 * @throws {ShapeError} when x is not f32, or a batch has fewer than two elements of a channel in training
 */
export function batchNormLayer(context: Context, name: string, x: Value, options: BatchNormLayerOptions = {}): Value {
  const path = expectLayer("batchNormLayer", context, name, x);
  expectOptions(path, options, ["momentum", "epsilon", "training"]);
  const { momentum = 0.1, epsilon = 1e-5, training = !context.evaluating } = options;
  floatOf(path, "momentum", momentum, { least: 0, most: 1 });
  floatOf(path, "epsilon", epsilon, POSITIVE);
  if (typeof training !== "boolean") throw settingError(path, `training is ${describe(training)}; take true or false`);
  const channels = channelsOf(path, x);
  return context.scope(name, () => {
    const weight = context.parameter("weight", [channels], ones);
    const bias = context.parameter("bias", [channels], zeros);
    const type = { dtype: "f32", shape: [channels] } as const;
    const mean = context.state(context.parameterName("running_mean"), type, zeros);
    const variance = context.state(context.parameterName("running_var"), type, ones);
    if (!training) return batchNorm(x, weight, bias, { mean, variance, epsilon });
    const batch = batchStatistics(x, epsilon);
    const moved = defineProgram("ff", (old, now) => old.mul(1 - momentum).add(now.mul(momentum)));
    const update = (state: Value, now: Value, label: string): void =>
      context.update(state, map(moved, [state, now], { name: label, shape: [channels] }));
    update(mean, batch.mean, "running-mean");
    update(variance, batch.variance, "running-variance");
    return batchNorm(x, weight, bias, { epsilon });
  });
}
