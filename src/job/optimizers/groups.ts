/** Parameter groups: options of an optimizer for some of the parameters. */
import { describe } from "../../errors/arguments.ts";
import type { Shape } from "../../encoding/tensor.ts";
import type { Parameter } from "../context.ts";
import { expectOptions, settingError } from "../settings.ts";

/** Which parameters: those whose name fits, or for which a function of name and shape returns true. */
export type Match = RegExp | ((name: string, shape: Shape) => boolean);

/**
 * A parameter group: the parameters that match, and the options that are theirs instead of the optimizer's.
 */
export type Group<Options> = Partial<Options> & {
  /** The parameters of the group, by their names, such as `blocks.0.attention.qkv.weight`, and shapes. */
  match: Match;
  /** Whether the parameters keep their values; default false. */
  frozen?: boolean;
};

/** @throws {JobError} when it is neither a RegExp nor a function */
export function expectMatch(of: string, match: unknown, name = "match"): asserts match is Match {
  if (!(match instanceof RegExp) && typeof match !== "function")
    throw settingError(of, `${name} is ${describe(match)}; pass a RegExp for names, or a function of name and shape`);
}

/** Whether a tensor matches. */
export function matches(match: Match, { name, shape }: { name: string; shape: Shape }): boolean {
  // `search` does not depend on where an earlier match of a global expression has ended.
  return match instanceof RegExp ? name.search(match) >= 0 : match(name, shape);
}

/**
 * Checks the option `groups`.
 * @param of the optimizer's name
 * @param known the names of the options that a group may set
 * @throws {JobError} when it is no list of groups, or a group has an unknown option
 */
export function groupsOf<Options>(
  of: string,
  groups: readonly Group<Options>[] | undefined,
  known: readonly string[],
): readonly Group<Options>[] {
  if (groups === undefined) return [];
  if (!Array.isArray(groups)) throw settingError(of, `groups is ${describe(groups)}; pass a list of groups`);
  return groups.map((group: Group<Options>, i) => {
    const what = groupName(of, i);
    expectOptions(what, group, ["match", "frozen", ...known]);
    expectMatch(what, group.match);
    if (group.frozen !== undefined && typeof group.frozen !== "boolean")
      throw settingError(what, `frozen is ${describe(group.frozen)}; take true or false`);
    return group;
  });
}

/** The name of a group in messages. */
export const groupName = (of: string, group: number): string => `${of}: group ${group}`;

/**
 * The group of each parameter; -1 for those that are in none, which have the optimizer's own options.
 * @throws {JobError} when a parameter is in two groups, or a group has no parameter
 */
export function assign(
  of: string,
  groups: readonly { match: Match }[],
  parameters: readonly Parameter[],
): readonly number[] {
  const assigned = parameters.map((parameter) => {
    const own = groups.flatMap(({ match }, i) =>
      matches(match, { name: parameter.name, shape: parameter.value.shape }) ? [i] : [],
    );
    if (own.length > 1)
      throw settingError(
        of,
        `the parameter ${parameter.name} is in the groups ${own[0]} and ${own[1]}; let one of them match it`,
        { name: parameter.name, groups: own },
      );
    return own[0] ?? -1;
  });
  const empty = groups.findIndex((_, i) => !assigned.includes(i));
  if (empty >= 0)
    throw settingError(
      groupName(of, empty),
      `it matches no parameter; the job trains ${parameters.map(({ name }) => name).join(", ")}`,
      { group: empty },
    );
  return assigned;
}
