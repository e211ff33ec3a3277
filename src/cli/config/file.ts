/** Reads `verde.toml`: the one that `VERDE_CONFIG` names, or the one in the working directory. */
import { closest } from "../../errors/closest.ts";
import { FormatError, messageOf, unreadable, UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { exists, readRegularText } from "../../files/regular.ts";
import { type Kind, SECTIONS, SETTINGS, type Setting } from "./settings.ts";

/** The name of the file. */
const FILE = "verde.toml";

/** A value as the command line would give it: texts, or a switch. */
export type Value = string | boolean | readonly string[];

export interface Configuration {
  /** The file that was read. */
  readonly file?: string;
  /** By the names of settings. */
  readonly values: ReadonlyMap<string, Value>;
}

/**
 * @throws {FormatError} for a file that can't be read, or is no TOML
 * @throws {UsageError} for a setting that does not exist, or has a value of another kind
 */
export async function readConfiguration(env: NodeJS.ProcessEnv = process.env): Promise<Configuration> {
  const named = env.VERDE_CONFIG || undefined;
  if (named === undefined && !(await exists(FILE))) return { values: new Map() };
  const file = named ?? FILE;
  const text = await readRegularText(file).catch((cause: unknown) => {
    throw unreadable(`the configuration ${file}`, file, cause, named === undefined ? undefined : "VERDE_CONFIG names it"); // prettier-ignore
  });
  // Loaded only when needed.
  const { parse, TomlError } = await import("smol-toml");
  let tables: Record<string, unknown>;
  try {
    tables = parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const [why] = messageOf(cause).replace(/^Invalid TOML document: /, "").split("\n"); // prettier-ignore
    throw new FormatError("MALFORMED", `${file}, line ${cause.line}, column ${cause.column}: ${why}; write TOML`, { file, line: cause.line }); // prettier-ignore
  }
  return { file, values: valuesIn(tables, file) };
}

function valuesIn(tables: Record<string, unknown>, file: string): Map<string, Value> {
  const values = new Map<string, Value>();
  for (const [section, table] of Object.entries(tables)) {
    if (!Object.hasOwn(SECTIONS, section)) throw unknown(file, section, Object.keys(SECTIONS), "table");
    if (typeof table !== "object" || table === null || Array.isArray(table) || table instanceof Date)
      throw new UsageError("VALUE", `${file}: ${section} is a table; write [${section}]`, { file });
    for (const [key, value] of Object.entries(table)) {
      const setting = SETTINGS.find((one) => one.section === section && one.key === key);
      const names = SETTINGS.filter((one) => one.section === section).map(({ name }) => name);
      if (!setting) throw unknown(file, `${section}.${key}`, names, "setting");
      values.set(setting.name, valueOf(setting, value, `${file}, ${setting.name}`));
    }
  }
  return values;
}

function unknown(file: string, name: string, names: readonly string[], what: string): UsageError {
  const like = closest(name, names) ?? closest(name, SETTINGS.map((one) => one.name)); // prettier-ignore
  const remedy = like === undefined ? `choose from ${names.join(", ")}` : `did you mean ${like}?`;
  return new UsageError("UNKNOWN", `${file}: there is no ${what} ${quote(name)}; ${remedy}`, { file, found: name });
}

const WORDS: Readonly<Record<Kind, string>> = {
  text: "a text in quotation marks",
  number: "a number",
  boolean: "true or false",
  list: 'a list of texts: ["…", "…"]',
};

function valueOf({ kind }: Setting, value: unknown, what: string): Value {
  const isText = (one: unknown): one is string => typeof one === "string" && one !== "";
  if (kind === "boolean" && typeof value === "boolean") return value;
  if (kind === "list" && Array.isArray(value) && value.every(isText)) return value;
  if (kind === "list" && isText(value)) return [value];
  if (kind === "number" && typeof value === "number") return `${value}`;
  if ((kind === "text" || kind === "number") && isText(value)) return value;
  throw new UsageError("VALUE", `${what} is ${quote(JSON.stringify(value), 80)}; write ${WORDS[kind]}`, {
    found: value,
  });
}

/** The value of a variable. @throws {UsageError} for a switch that is neither on nor off */
export function valueIn({ kind, env }: Setting, text: string): Value {
  if (kind === "list") return text.trim().split(/\s+/);
  if (kind !== "boolean") return text;
  if (/^(true|1|yes|on)$/i.test(text)) return true;
  if (/^(false|0|no|off)$/i.test(text)) return false;
  throw new UsageError("VALUE", `${env} is ${quote(text)}; write true or false`, { found: text });
}
