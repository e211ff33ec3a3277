/** Exit codes as diff(1) has them, and what people and programs are told when a command fails. */
import { CommanderError } from "commander";
import { messageOf, VerdeError } from "../errors.ts";
import { writeJson } from "./output.ts";

export const EXIT = { agree: 0, divergence: 1, usage: 2, failure: 3 } as const;

/** Failures of the input: what was asked for, or what was given, can't be used. The rest is operational. */
const INPUT = new Set([
  "VERDE_USAGE",
  "VERDE_PROGRAM",
  "VERDE_SHAPE",
  "VERDE_GRAPH",
  "VERDE_VALUE",
  "VERDE_FORMAT",
  "VERDE_JOB",
  "VERDE_DISPUTE",
]);

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.agree : EXIT.usage;
  return error instanceof VerdeError && INPUT.has(error.code) ? EXIT.usage : EXIT.failure;
}

/** Reports a failure once: a sentence on stderr, and with `--json` an object on stdout. */
export function reportFailure(error: unknown, json: boolean): void {
  // Commander has said what is wrong already.
  if (error instanceof CommanderError) return;
  const code = error instanceof VerdeError ? error.code : "VERDE_FAILURE";
  if (json) {
    const evidence = error instanceof VerdeError ? error.evidence : {};
    writeJson({ schemaVersion: 1, error: { code, message: messageOf(error), evidence: plain(evidence) } });
  }
  const known = error instanceof VerdeError && !process.env.VERDE_DEBUG;
  const stack = error instanceof Error ? error.stack : undefined;
  process.stderr.write(`verde: ${known ? `${messageOf(error)} (${code})` : (stack ?? messageOf(error))}\n`);
}

/** Evidence may hold whole programs and kernels; what is not a plain value is left to VERDE_DEBUG. */
function plain(evidence: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(evidence).filter(([, value]) => typeof value !== "object"));
}
