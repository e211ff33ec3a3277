/** The options of a job: how its author declares them, and how a run sets them. */
import { describe, isPlainObject } from "../errors/arguments.ts";
import { closest } from "../errors/closest.ts";
import { JobError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";

/** The types of an option's value. */
export type OptionValue = string | number;
/** Options by name. */
export type JobOptions = Record<string, OptionValue>;

/** An option with a sentence about it: what `option` makes. */
export interface DocumentedOption<Value extends OptionValue = OptionValue> {
  /** Its value, unless the run sets another. */
  readonly default: Value;
  /** What it sets, for `verde run JOB --help`. */
  readonly doc: string;
  /** The numbers that it takes; default: all that are finite. */
  readonly range?: OptionRange;
}

/** The numbers that an option takes. */
export interface OptionRange {
  /** The least of them. */
  readonly from?: number;
  /** The greatest of them. */
  readonly to?: number;
  /** Whether they have to be whole. */
  readonly whole?: boolean;
}

/** Options as `defineJob` takes them: each a default, or what `option` makes. */
export type DeclaredOptions = Record<string, OptionValue | DocumentedOption>;

/**
 * An option of a job with a sentence about it, which `verde run JOB --help` shows.
 *
 *     options: { width: option(32, "units of the hidden layer"), rate: 0.01 }
 *
 * @param value the default. Its type is the option's: a number or a text
 * @param range the numbers that it takes; default: all that are finite
 */
export function option<const Value extends OptionValue>(
  value: Value,
  doc: string,
  range?: OptionRange,
): DocumentedOption<Value> {
  return { default: value, doc, ...(range && { range }) };
}

/**
 * An option that is a number of things: a whole number from 1 on.
 *
 *     options: { workers: count(4, "how many workers train") }
 *
 * @param value the default
 * @param range other limits; `{ from: 0 }` takes 0 too
 */
export function count<const Value extends number>(
  value: Value,
  doc: string,
  range: Omit<OptionRange, "whole"> = {},
): DocumentedOption<Value> {
  return option(value, doc, { from: 1, ...range, whole: true });
}

/** The values that a run may set: `steps`, `seed`, and the job's own options. */
export type Overrides = Readonly<Record<string, OptionValue>>;

/**
 * The options of the commands that also take a job's options. The commands take these names for themselves,
 * so a job can't have them. A test compares the list with the commands.
 */
const RESERVED: ReadonlySet<string> = new Set(
  (
    "help version json steps seed out detail commit-every checkpoint-every stop-on-divergence no-stop-on-divergence backend threads strict fault from saturate resume force " +
    "list-operators progress keystore password-file rpc deployment journal confirmations max-fee replace dry-run approve no-approve " +
    "job committee game seats canary reward providers stake bond chunk-price max-demands salt terms to-accept to-commit " +
    "to-reveal to-challenge to-judge to-escalate to-play to-answer profile policy accept-risk tensor chunk quiet from-prefix partial transpose tensorboard " +
    "workers devices check-shards worker-timeout token-file"
  ).split(" "),
);

/** Whether a command keeps the name for itself. */
export const isReserved = (name: string): boolean => RESERVED.has(name);

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/**
 * The defaults and the sentences of declared options.
 * @param reserved the names that a command keeps for itself
 * @throws {JobError} for a name that can't be set on a command line, or a default that is neither number nor
 *   text
 */
export function readOptions(
  job: string,
  declared: DeclaredOptions,
  reserved: { readonly command: string; has(name: string): boolean } = { command: "verde run", has: isReserved },
): { defaults: JobOptions; docs: Record<string, string>; ranges: OptionRanges } {
  const defaults: [string, OptionValue][] = [];
  const docs: [string, string][] = [];
  const ranges: [string, OptionRange][] = [];
  const fail = (problem: string, name: string): never => {
    throw new JobError("OPTION_NAME", `the job ${quote(job)} ${problem}`, { name });
  };
  for (const [name, given] of Object.entries(declared)) {
    if (reserved.has(name))
      fail(`can't have an option ${name}: \`${reserved.command} --${name}\` has its own meaning; rename it`, name);
    if (!NAME.test(name) || name in Object.prototype)
      fail(
        `can't have an option ${quote(name)}: a name is a letter, and then letters, digits, - and _; rename it`,
        name,
      );
    const isDocumented = typeof given === "object" && given !== null && "default" in given;
    const value: unknown = isDocumented ? given.default : given;
    if (typeof value !== "string" && !(typeof value === "number" && Number.isFinite(value)))
      throw new JobError(
        "OPTION_VALUE",
        `the default of the option ${name} of the job ${quote(job)} is ${quote(value)}; give a finite number or a text`,
        { name },
      );
    defaults.push([name, value]);
    if (!isDocumented) continue;
    docs.push([name, String(given.doc)]);
    if (given.range && typeof value === "string")
      throw new JobError("OPTION_VALUE", `the option ${name} of the job ${quote(job)} is a text, so it has no range`, {
        name,
      });
    if (given.range) ranges.push([name, given.range]);
  }
  const [limits, values] = [Object.fromEntries(ranges), Object.fromEntries(defaults)];
  for (const [name] of ranges) expectInRange(name, values[name], limits);
  return { defaults: values, docs: Object.fromEntries(docs), ranges: limits };
}

/** Ranges by the names of options. */
export type OptionRanges = Readonly<Record<string, OptionRange>>;

/** @throws {JobError} for a number that the option does not take */
function expectInRange(name: string, value: unknown, ranges: OptionRanges): void {
  const { from = -Infinity, to = Infinity, whole = false } = ranges[name] ?? {};
  if (typeof value !== "number") return;
  if (value >= from && value <= to && (!whole || Number.isSafeInteger(value))) return;
  const limits = [
    ...(Number.isFinite(from) ? [`from ${from}`] : []),
    ...(Number.isFinite(to) ? [`up to ${to}`] : []),
    ...(Number.isFinite(from) && !Number.isFinite(to) ? ["on"] : []),
  ];
  const wanted = `a ${whole ? "whole " : ""}number ${limits.join(" ")}`.trimEnd();
  throw new JobError("OPTION_VALUE", `--${name} is ${value}; give ${wanted}`, { name, value });
}

/**
 * The values of a run: the defaults, and what it sets. A text is accepted for a number.
 * @throws {JobError} for an unknown name, a value of another type, or a number that the option does not take
 */
export function resolveOptions(
  job: string,
  defaults: JobOptions,
  overrides: Overrides,
  ranges: OptionRanges = {},
): JobOptions {
  if (!isPlainObject(overrides))
    throw new JobError("OPTION_VALUE", `the options are ${describe(overrides)}; write { name: value }`);
  const resolved = { ...defaults };
  for (const [name, value] of Object.entries(overrides)) {
    if (!Object.hasOwn(defaults, name)) throw unknownOption(job, name, Object.keys(defaults));
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    if (typeof defaults[name] === "number" && !Number.isFinite(number))
      throw new JobError(
        "OPTION_VALUE",
        `--${name} takes a number, not ${typeof value === "string" ? JSON.stringify(value) : describe(value)}`,
        { name, value },
      );
    if (typeof value !== "string" && typeof value !== "number")
      throw new JobError("OPTION_VALUE", `--${name} takes a text, not ${describe(value)}`, { name });
    resolved[name] = typeof defaults[name] === "number" ? (number as number) : String(value);
    expectInRange(name, resolved[name], ranges);
  }
  return resolved;
}

/**
 * The error for an option that a job does not have.
 * @param others more names that may be meant, which are not the job's
 * @param what what has the options
 */
export function unknownOption(
  job: string,
  name: string,
  known: readonly string[],
  others: readonly string[] = [],
  what: "job" | "plan" = "job",
): JobError {
  const meant = closest(name, [...known, ...others]);
  const list = known.map((one) => `--${one}`).join(", ");
  const hint = meant === undefined ? "choose from" : `did you mean --${meant}? It has`;
  return new JobError("OPTION_UNKNOWN", `the ${what} ${quote(job)} has no option --${quote(name)}; ${hint} ${list}`, {
    name,
  });
}
