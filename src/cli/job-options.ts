/** A job's own options among the words of a command: `--name value`. */
import type { Command } from "commander";
import { closest } from "../errors/closest.ts";
import { messageOf, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { JobDefinition } from "../job/define.ts";
import { closeJob, loadJobDefinition } from "../job/load.ts";
import { isReserved, type Overrides, unknownOption } from "../job/options.ts";
import { columnsOf } from "./output.ts";
import { formatFields } from "./table.ts";

/** The options of commands that close a job's module, beside the job's own. */
export const STEPS = ["--steps <n>", "how many training steps; default: the job's own number"] as const;
export const SEED = ["--seed <n>", "the seed of all random numbers"] as const;

/** The names of a command's own options, without their dashes. */
export function optionNames(command: Command): string[] {
  return command.options.flatMap(({ long }) => (long ? [long.slice(2)] : []));
}

/**
 * `--name value` and `--name=value` pairs that a command does not know.
 * @param own the names of the command's options, one of which may be meant
 */
export function jobOptions(words: readonly string[], own: readonly string[] = []): Overrides {
  const options = new Map<string, string>();
  for (let i = 0; i < words.length; i++) {
    const [, name, inline] = /^--([\w-]+)(?:=(.*))?$/s.exec(words[i]) ?? [];
    if (name === undefined)
      throw new UsageError("SYNTAX", `${quote(words[i])} is not understood; write a job's options as --name value`);
    const value = inline ?? words[++i];
    const meant = closest(name, own);
    if (value === undefined)
      throw new UsageError(
        "SYNTAX",
        `--${name} has no value; ${meant === undefined ? "" : `did you mean --${meant}? If not, `}write --${name} VALUE`,
      );
    options.set(name, value);
  }
  return Object.fromEntries(options);
}

/**
 * Loads a job module and closes its job.
 * @param own the names of the command's options, one of which may be meant by an option that the job does not
 *   have
 * @throws {JobError} when it can't be loaded, or has no such option
 */
export async function loadJobFor(path: string, overrides: Overrides, own: readonly string[] = []): Promise<ClosedJob> {
  const job = await loadJobDefinition(path);
  for (const name of Object.keys(overrides))
    if (!Object.hasOwn(job.options, name)) throw unknownOption(job.name, name, Object.keys(job.options), own);
  return closeJob(job, path, overrides);
}

/** Lets `verde COMMAND JOB --help` list the options of the job, too. */
export function addJobHelp(program: Command, command: Command): void {
  program.hook("preSubcommand", async ({ args }, chosen) => {
    if (chosen !== command || !args.some((word) => word === "--help" || word === "-h")) return;
    const path = args.slice(1).find((word) => /\.[cm]?[jt]s$/.test(word) && !word.startsWith("-"));
    if (path === undefined) return;
    const lines = await loadJobDefinition(path).then(describeOptions, (error: unknown) => [
      `The options of ${quote(path)} can't be listed: ${messageOf(error)}`,
    ]);
    command.addHelpText("after", ["", ...lines].join("\n"));
  });
}

function describeOptions({ name, options, docs = {} }: JobDefinition): string[] {
  const own = Object.entries(options).filter(([option]) => !isReserved(option));
  const set = ["steps", "seed"].flatMap((option) =>
    Object.hasOwn(options, option) ? [`--${option} ${options[option]}`] : [],
  );
  const rows = own.map(([option, value]): [string, string] => [
    `--${option} <${typeof value === "number" ? "number" : "text"}>`,
    `${Object.hasOwn(docs, option) ? `${quote(docs[option])} ` : ""}(default: ${quote(JSON.stringify(value))})`,
  ]);
  return [
    `Options of the job ${quote(name)} (defaults: ${set.join(", ")}):`,
    ...(rows.length > 0 ? formatFields(rows, false, columnsOf(process.stdout) ?? 80) : ["  none of its own"]),
  ];
}
