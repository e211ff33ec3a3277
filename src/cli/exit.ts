/** Exit codes, the same as those of diff(1), and the report of a command that fails. */
import { CommanderError } from "commander";
import { type Family, messageOf, UsageError, VerdeError } from "../errors/index.ts";
import { missingMemory } from "../errors/memory.ts";
import { boundedMessage, quote } from "../errors/text.ts";
import { reportLine, writeJson } from "./output.ts";

/** `undecided`: nothing can be said. `word`: what is said rests on somebody's word. */
export const EXIT = { agree: 0, divergence: 1, usage: 2, failure: 3, undecided: 3, word: 4 } as const;

/** Families of errors in the input: the request, or a file, can't be used. All others are operational. */
const INPUT: ReadonlySet<string> = new Set<Family>([
  "VERDE_USAGE",
  "VERDE_PROGRAM",
  "VERDE_SHAPE",
  "VERDE_GRAPH",
  "VERDE_VALUE",
  "VERDE_FORMAT",
  "VERDE_JOB",
  "VERDE_DISPUTE",
  "VERDE_KEY",
  "VERDE_ROUNDS",
]);
/** Codes of these families that are operational all the same. */
const OPERATIONAL: ReadonlySet<string> = new Set(["VERDE_ROUNDS_PARTICIPANT", "VERDE_ROUNDS_SIGNED", "VERDE_ROUNDS_SERVER", "VERDE_ROUNDS_HISTORY", "VERDE_ROUNDS_LIMIT"]); // prettier-ignore

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.agree : EXIT.usage;
  const isInput = error instanceof VerdeError && INPUT.has(error.family) && !OPERATIONAL.has(error.code);
  return isInput ? EXIT.usage : EXIT.failure;
}

/**
 * Whether the library that talks to chains threw it. Its shape tells, since few commands load that library.
 */
function isChainFailure(error: unknown): error is Error & { shortMessage: string; details?: string } {
  return error instanceof Error && "shortMessage" in error && typeof error.shortMessage === "string";
}

/** Turns an error of that library into one of our own: one line, without the request and its bytes. */
export async function chainFailure(error: unknown): Promise<unknown> {
  return isChainFailure(error) ? (await import("../settlement/refusal.ts")).requestFailure(error) : error;
}

/** What commander says about a command line, without its frame: a sentence in one line. */
export function usageText(text: string): string {
  const [problem, ...more] = text
    .replace(/^error: /, "")
    .trimEnd()
    .split("\n");
  const hint = more.join(" ").replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1?");
  return hint === "" ? problem : `${problem.replace(/\.$/, "")}; ${hint}`;
}

/**
 * Reports a failure once: a sentence on stderr, and with `--json` also an object on stdout. `VERDE_DEBUG=1`
 * shows the stack too, for finding a bug.
 */
export function reportFailure(thrown: unknown, json: boolean): void {
  const error = missingMemory(thrown) ?? thrown;
  if (error instanceof CommanderError) {
    // Commander has already printed what is wrong, or the help that was asked for.
    if (json && error.exitCode !== 0 && error.code !== "commander.help")
      writeError(new UsageError("SYNTAX", usageText(error.message)));
    return;
  }
  if (json) writeError(error);
  const lines = [`verde: ${boundedMessage(messageOf(error))} (${codeOf(error)})`];
  if (error instanceof VerdeError && error.place !== undefined) lines.push(`  at ${error.place}`);
  reportLine(lines[0], ...lines.slice(1), ...stackOf(error));
}

/** The stack of an error, and that of its cause, if they are asked for. */
function stackOf(error: unknown): string[] {
  if (!process.env.VERDE_DEBUG || !(error instanceof Error)) return [];
  const cause = error.cause === undefined ? [] : ["caused by:", ...stackOf(error.cause)];
  return [...(error.stack ?? "").split("\n"), ...cause];
}

const codeOf = (error: unknown): string => (error instanceof VerdeError ? error.code : "VERDE_FAILURE");

function writeError(error: unknown): void {
  const evidence = error instanceof VerdeError ? plain(error.evidence) : {};
  const place = error instanceof VerdeError ? error.place : undefined;
  const message = boundedMessage(messageOf(error));
  writeJson({ schemaVersion: 1, error: { code: codeOf(error), message, ...(place && { place }), evidence } });
}

/**
 * Evidence may hold whole programs, kernels and bytes. Only plain values and short lists of them, for example
 * shapes, are printed. A long text is cut.
 */
function plain(evidence: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(evidence).filter(
    ([, value]) => isPlain(value) || (isShort(value) && value.every(isPlain)),
  );
  return Object.fromEntries(
    entries.map(([name, value]) => [name, Array.isArray(value) ? value.map(short) : short(value)]),
  );
}

/** The most characters of a text among the evidence. */
const MAX_TEXT = 1_000;

function short(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  return typeof value === "string" && value.length > MAX_TEXT ? quote(value, MAX_TEXT) : value;
}

const isPlain = (value: unknown): boolean =>
  value === null || ["string", "number", "boolean", "bigint"].includes(typeof value);
const isShort = (value: unknown): value is unknown[] => Array.isArray(value) && value.length <= 64;
