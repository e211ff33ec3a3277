/** Writes the table of settings in docs/configuration.md from the list and the commands themselves. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { commandsOf, optionFor } from "../src/cli/config/apply.ts";
import { SECTIONS, type Section, SETTINGS } from "../src/cli/config/settings.ts";
import { buildProgram } from "../src/cli/program.ts";

export const PAGE = new URL("../docs/configuration.md", import.meta.url);
const [BEGIN, END] = ["<!-- Written by scripts/configuration.ts. -->", "<!-- end -->"];

/** The tables of the page: one for each table of the file. */
export async function tables(): Promise<string> {
  // What this machine's environment sets is no default.
  for (const name of Object.keys(process.env)) if (name.startsWith("VERDE_")) delete process.env[name];
  const commands = [...commandsOf(await buildProgram())];
  const about = (section: Section): string => {
    const rows = SETTINGS.filter((setting) => setting.section === section).map((setting) => {
      const option = commands.flatMap(([path, command]) => optionFor(setting, path, command) ?? [])[0];
      const standard = option.defaultValueDescription ?? option.defaultValue;
      const value = Array.isArray(standard) ? standard.join(" ") : String(standard ?? "");
      const text = option.description.replaceAll("|", "\\|");
      return `| \`${setting.key}\` | ${setting.kind} | ${value === "" ? "" : `\`${value}\``} | \`${setting.env}\` | ${text} |`;
    });
    return [`**[${section}]**: ${SECTIONS[section].about}`, "", "| setting | kind | default | variable | what it is |", "|---|---|---|---|---|", ...rows, ""].join("\n"); // prettier-ignore
  };
  return (Object.keys(SECTIONS) as Section[]).map(about).join("\n");
}

export function pageWith(page: string, made: string): string {
  const [before, rest] = page.split(BEGIN);
  return `${before}${BEGIN}\n\n${made}\n${END}${rest.split(END)[1]}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, pageWith(readFileSync(PAGE, "utf8"), await tables()));
