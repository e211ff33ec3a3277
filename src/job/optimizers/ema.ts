/** Averages of the weights: entries of the state that follow the parameters slowly. */
import { describe } from "../../errors/arguments.ts";
import { JobError } from "../../errors/index.ts";
import { map } from "../../graph/emit.ts";
import { broadcastTo } from "../../graph/ops/sum.ts";
import type { Value } from "../../graph/value.ts";
import { SHARE } from "../../repops/numbers/settings.ts";
import { defineProgram } from "../../repops/programs/expressions.ts";
import { AVERAGE_PREFIX } from "../closed.ts";
import type { Context } from "../context.ts";
import { counted } from "../counter.ts";
import { zeros } from "../initializers.ts";
import { expectOptions, floatOf, settingError } from "../settings.ts";
import type { Optimizer } from "./optimizer.ts";

/** The options of `ema`. */
interface EmaOptions {
  /**
   * The share of an average that each training step keeps: average' = decay · average + (1 - decay) ·
   * weight'.
   */
  decay: number;
}

/** The entry of the state that counts the training steps in which averages were kept. */
const UPDATES = "optimizer/ema-updates";
const STARTED = defineProgram("iff", (before, average, weight) => before.eq(0).select(weight, average));

/**
 * An optimizer that also keeps an exponential moving average of each trained parameter, as the entry
 * `ema/NAME` of the state. The first training step sets it to the parameter, as PyTorch's `AveragedModel`
 * does. `evaluateRows` with `averaged: true` evaluates the averages.
 *
 *     optimizer: () => ema(adamW({ learningRate: 1e-3 }), { decay: 0.999 })
 *
 * @throws {JobError} for an unknown option, and for a decay outside [0, 1), also once it is rounded
 */
export function ema(optimizer: Optimizer, options: EmaOptions): Optimizer {
  if (typeof optimizer !== "function")
    throw settingError("ema", `the optimizer is ${describe(optimizer)}; pass one, such as adamW({ … })`);
  expectOptions("ema", options, ["decay"]);
  const decay = floatOf("ema", "decay", options.decay, SHARE);
  const follow = defineProgram("iff", (before, average, weight) =>
    before.eq(0).select(weight, average.mul(decay).add(weight.mul(1 - decay))),
  );
  return (context, parameters, gradients) => {
    optimizer(context, parameters, gradients);
    context.scope("ema", () => {
      const { before } = counted(context, UPDATES);
      for (const { name, value } of parameters) {
        const next = context.entries.of(value)?.next ?? value;
        // A parameter that a group has frozen is its own average, unless its average is evaluated already.
        if (next.source === value.source && !context.entries.find(`${AVERAGE_PREFIX}${name}`)) continue;
        const average = averageOf(context, name, value);
        const operands = [broadcastTo(before, value.shape), average, next];
        context.update(average, map(follow, operands, { name, shape: value.shape }));
      }
    });
  };
}

/** The entry of the state for the average of a parameter. */
function averageOf(context: Context, parameter: string, { dtype, shape }: Value): Value {
  const name = `${AVERAGE_PREFIX}${parameter}`;
  const entry = { name, type: { dtype, shape }, init: zeros, parameter: false, frozen: false };
  return context.entries.find(name)?.value ?? context.entries.add(entry);
}

/**
 * The average of a parameter before this training step; the parameter in the first step, and if it is frozen.
 */
export function averaged(context: Context, parameter: Value): Value {
  const entry = context.entries.of(parameter);
  if (!entry || entry.frozen) return parameter;
  const average = averageOf(context, entry.name, parameter);
  const { before } = counted(context, UPDATES);
  const operands = [broadcastTo(before, parameter.shape), average, parameter];
  return map(STARTED, operands, { name: `${entry.name}-average`, shape: parameter.shape });
}

/** @throws {JobError} when averages are evaluated that nothing updates */
export function checkAverages(context: Context): void {
  const idle = context.entries.list.find(({ name, next }) => name.startsWith(AVERAGE_PREFIX) && !next);
  if (idle)
    throw new JobError(
      "STATE",
      `${idle.name} is evaluated, and nothing updates it; wrap the optimizer: ema(adamW({ … }), { decay: 0.999 })`,
      { name: idle.name },
    );
}
