/** `verde rounds run PLAN --help`: the plan's own options, below those of the command. */
import type { Command } from "commander";
import { messageOf } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import type { RoundsDefinition } from "../../rounds/define.ts";
import { loadRoundsDefinition } from "../../rounds/load.ts";
import { columnsOf } from "../output.ts";
import { formatFields } from "../table.ts";

export function addPlanHelp(rounds: Command, commands: readonly Command[]): void {
  rounds.hook("preSubcommand", async ({ args }, chosen) => {
    if (!commands.includes(chosen) || !args.some((word) => word === "--help" || word === "-h")) return;
    const path = args.slice(1).find((word) => /\.[cm]?[jt]s$/.test(word) && !word.startsWith("-"));
    if (path === undefined) return;
    const lines = await loadRoundsDefinition(path).then(describeOptions, (error: unknown) => [
      `The options of ${quote(path)} can't be listed: ${messageOf(error)}`,
    ]);
    chosen.addHelpText("after", ["", ...lines].join("\n"));
  });
}

function describeOptions({ name, options, docs }: RoundsDefinition): string[] {
  const { rounds, seed, ...own } = options;
  const rows = Object.entries(own).map(([option, value]): [string, string] => [
    `--${option} <${typeof value === "number" ? "number" : "text"}>`,
    `${Object.hasOwn(docs, option) ? `${quote(docs[option])} ` : ""}(default: ${quote(JSON.stringify(value))})`,
  ]);
  return [
    `Options of the plan ${quote(name)} (defaults: --rounds ${rounds}, --seed ${seed}):`,
    ...(rows.length > 0 ? formatFields(rows, false, columnsOf(process.stdout) ?? 80) : ["  none of its own"]),
  ];
}
