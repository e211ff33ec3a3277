/** `verde config show`: what is set, and where each value comes from. */
import type { Command } from "commander";
import { closest } from "../../errors/closest.ts";
import { UsageError } from "../../errors/index.ts";
import { colors, writeJson, writeLine } from "../output.ts";
import { formatFields } from "../table.ts";
import { applyConfiguration, commandsOf, given, type Origin, optionFor } from "./apply.ts";
import { type Configuration, readConfiguration } from "./file.ts";
import { OTHER_VARIABLES, SETTINGS } from "./settings.ts";

type Build = (words?: readonly string[]) => Promise<Command>;
interface Shown extends Origin {
  name: string;
  value: unknown;
}

/** @param build makes the program with the commands that the words need */
export function register(program: Command, build: Build): void {
  program
    .command("config")
    .description("settings in verde.toml and in the environment")
    .command("show")
    .description("show every setting, or the options of one command line, with where each value comes from")
    .argument("[command...]", "a command with its options: `verde config show provider run --tasks 3`")
    .option("--json", "one JSON object")
    .allowUnknownOption()
    .action(async (words: string[], { json }: { json?: boolean }) => {
      const configuration = await readConfiguration();
      const shown = words.length === 0 ? await all(build, configuration) : await one(build, configuration, words);
      const unknown = unknownVariables();
      if (json) return writeJson({ schemaVersion: 1, file: configuration.file ?? null, settings: shown, unknown });
      writeLine(configuration.file ?? colors.dim("There is no verde.toml here, and VERDE_CONFIG names none."));
      writeLine(...formatFields(shown.map(({ name, value, ...origin }) => [name, `${textOf(value)}  ${colors.dim(`(${origin.from ?? origin.source})`)}`]))); // prettier-ignore
      for (const { name, like } of unknown)
        writeLine(colors.yellow(`${name} is no variable of Verde's${like === null ? "" : `; did you mean ${like}?`}`));
    });
}

const textOf = (value: unknown): string =>
  value === null ? "—" : Array.isArray(value) ? value.join(" ") : String(value);

/** A value for JSON: amounts are big integers. */
const plain = (value: unknown): unknown =>
  value === undefined ? null : typeof value === "bigint" ? `${value}` : value;

async function all(build: Build, configuration: Configuration): Promise<Shown[]> {
  const commands = [...commandsOf(await build())];
  return SETTINGS.map((setting) => {
    const found = given(setting, configuration);
    if (found) return { name: setting.name, ...found };
    const options = commands.flatMap(([path, command]) => optionFor(setting, path, command) ?? []);
    const standard = options.find(({ defaultValue }) => defaultValue !== undefined);
    return { name: setting.name, value: standard?.defaultValueDescription ?? plain(standard?.defaultValue), source: "default" }; // prettier-ignore
  });
}

const SOURCES: Readonly<Record<string, Origin["source"]>> = { cli: "flag", environment: "environment", file: "file" };

/** The options that a command would have. Nothing of it is executed. */
async function one(build: Build, configuration: Configuration, words: readonly string[]): Promise<Shown[]> {
  const program = await build(words);
  applyConfiguration(program, configuration);
  const path = [...commandsOf(program)]
    .filter(
      ([name, { commands }]) => name !== "" && commands.length === 0 && `${words.join(" ")} `.startsWith(`${name} `),
    ) // prettier-ignore
    .at(-1);
  if (!path) throw new UsageError("UNKNOWN", `${words[0]} is no command with options; \`verde --help\` lists the commands`, { found: words[0] }); // prettier-ignore
  const [name, command] = path;
  let parsed = false;
  command.action(() => void (parsed = true));
  await program.parseAsync(words, { from: "user" });
  if (!parsed) return [];
  return command.options.map((option) => {
    const attribute = option.attributeName();
    const source = SOURCES[command.getOptionValueSource(attribute) ?? ""] ?? "default";
    const setting = SETTINGS.find((known) => optionFor(known, name, command) === option);
    const from = source === "environment" ? setting?.env : source === "file" ? configuration.file : undefined;
    const flag = (option.long ?? option.flags).replace(/^--(no-)?/, "");
    return { name: setting?.name ?? flag, value: plain(command.getOptionValue(attribute)), source, ...(from !== undefined && { from }) }; // prettier-ignore
  });
}

/** Variables that look like Verde's, and are none: nothing reads them. */
function unknownVariables(): { name: string; like: string | null }[] {
  const known = [...SETTINGS.map(({ env }) => env), ...OTHER_VARIABLES];
  const names = Object.keys(process.env).filter((name) => name.startsWith("VERDE_") && !known.includes(name));
  return names.sort().map((name) => ({ name, like: closest(name, known) ?? null }));
}
