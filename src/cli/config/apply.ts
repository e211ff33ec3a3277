/**
 * Gives the options of commands the values of the configuration: the command line counts for more than the
 * environment, and the environment for more than the file.
 */
import type { Command, Option } from "commander";
import { type Configuration, type Value, valueIn } from "./file.ts";
import { covers, SETTINGS, type Setting } from "./settings.ts";

/** Where a value comes from. */
export interface Origin {
  source: "flag" | "environment" | "file" | "default";
  /** The variable, or the file. */
  from?: string;
}

/** A command with the words that lead to it, without `verde`. */
export function* commandsOf(command: Command, words: readonly string[] = []): Generator<[string, Command]> {
  yield [words.join(" "), command];
  for (const one of command.commands) yield* commandsOf(one, [...words, one.name()]);
}

/** The option of a command for a setting, if it is about the command. */
export function optionFor(setting: Setting, path: string, command: Command): Option | undefined {
  const names = new Set(command.options.flatMap(({ long }) => long ?? []));
  if (!covers(setting, path, names)) return undefined;
  return command.options.find(({ long }) => long === `--${setting.key}` || long === `--no-${setting.key}`);
}

/** The value of a setting beside the command line, and where it comes from. */
export function given(
  setting: Setting,
  { file, values }: Configuration,
  env: NodeJS.ProcessEnv = process.env,
): (Origin & { value: Value }) | undefined {
  const text = env[setting.env];
  if (text) return { source: "environment", from: setting.env, value: valueIn(setting, text) };
  const value = values.get(setting.name);
  return value === undefined ? undefined : { source: "file", ...(file !== undefined && { from: file }), value };
}

/** A command whose option does not take its value fails when it is started, and no other does. */
export function applyConfiguration(
  program: Command,
  configuration: Configuration,
  env: NodeJS.ProcessEnv = process.env,
): void {
  const known = SETTINGS.flatMap((setting) => {
    const found = given(setting, configuration, env);
    return found ? [{ setting, ...found }] : [];
  });
  if (known.length === 0) return;
  for (const [path, command] of commandsOf(program))
    for (const { setting, value, source } of known) {
      const option = optionFor(setting, path, command);
      if (option) apply(command, option, value, source);
    }
}

function apply(command: Command, option: Option, value: Value, source: string): void {
  const name = option.attributeName();
  try {
    command.setOptionValueWithSource(name, taken(option, value), source);
  } catch (error) {
    command.hook("preAction", (_, own) => {
      if (own.getOptionValueSource(name) !== "cli") throw error;
    });
  }
}

/** The value as the option has it, when the command line gives the same. */
function taken({ parseArg, defaultValue }: Option, value: Value): unknown {
  if (typeof value === "boolean" || !parseArg) return value;
  if (typeof value === "string") return parseArg(value, defaultValue as never);
  let list: unknown;
  for (const text of value) list = parseArg(text, list as never);
  // Another list than the parser's own, which would add to it what the command line gives.
  return [...(list as unknown[])];
}
