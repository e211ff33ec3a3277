/**
 * What all optimizers share: rates, parameter groups, clipping and skipped steps around a rule for one
 * parameter.
 */
import type { Value } from "../../graph/value.ts";
import type { Context, Parameter } from "../context.ts";
import { expectOptions } from "../settings.ts";
import { CLIP_OPTIONS, type ClipOptions, clippingOf } from "./clipping.ts";
import { assign, type Group, groupName, groupsOf } from "./groups.ts";
import type { Optimizer } from "./optimizer.ts";
import { type Schedule, schedule } from "./schedule.ts";
import { Shared, Update } from "./update.ts";

/** A constant rate, or a function of the number of the training step. */
export interface RateOption {
  learningRate: number | Schedule;
}

/** The options that every optimizer has, beside its own. */
export interface CommonOptions<Own> extends ClipOptions, RateOption {
  /**
   * Options for some of the parameters; what a group does not set is the optimizer's. A parameter in no group
   * has the optimizer's options. A parameter in two groups is an error, and so is a group without parameters.
   */
  groups?: readonly Group<Own & RateOption>[];
}

/** Adds the operators of one parameter's update, and gives its next value. */
export type Rule = (update: Update) => Value;

/**
 * An optimizer from its rule.
 * @param of the optimizer's name
 * @param own the names of the options that are its own, which groups can set too
 * @param ruleOf checks these options, and gives the rule
 * @throws {JobError} for an unknown option, and for a value that is out of its range
 */
export function optimizerOf<Own extends object>(
  of: string,
  options: CommonOptions<Own> & Own,
  own: readonly (keyof Own & string)[],
  ruleOf: (of: string, options: Own) => Rule,
): Optimizer {
  expectOptions(of, options, ["learningRate", ...own, ...CLIP_OPTIONS, "groups"]);
  const main = { rate: schedule(of, options.learningRate), rule: ruleOf(of, options) };
  const clip = clippingOf(of, options);
  const groups = groupsOf<Own & RateOption>(of, options.groups, ["learningRate", ...own]);
  const rules = groups.map((group, i) => {
    if (group.frozen) return undefined;
    const what = groupName(of, i);
    const rate = group.learningRate === undefined ? main.rate : schedule(what, group.learningRate);
    return { rate, rule: ruleOf(what, { ...options, ...group }) };
  });

  return (context: Context, parameters: readonly Parameter[], gradients: readonly Value[]) => {
    const group = assign(of, groups, parameters);
    const places = parameters.map((parameter, i) => ({ parameter, i, rule: group[i] < 0 ? main : rules[group[i]] }));
    const trained = places.filter(({ rule }) => rule);
    context.scope("optimizer", () => {
      const shared = new Shared(context);
      context.metric("learning-rate", shared.rate(main.rate));
      const clipped = clip(
        context,
        trained.map(({ i }) => gradients[i]),
      );
      for (const { parameter, rule } of places) if (!rule) context.update(parameter.value, parameter.value);
      trained.forEach(({ parameter, rule }, i) =>
        context.scope(parameter.name, () => {
          const rate = shared.rate(rule!.rate);
          context.update(
            parameter.value,
            rule!.rule(new Update(shared, parameter, clipped.gradients[i], clipped.scale, rate)),
          );
        }),
      );
    });
  };
}
