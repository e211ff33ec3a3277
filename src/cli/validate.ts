/** `verde validate`: whether a trace and its data are whole. Nothing is executed. */
import type { Command } from "commander";
import { formatClaim } from "../claims/claim.ts";
import { toHex } from "../encoding/bytes.ts";
import { type Validation, validateTrace } from "../audit/validate.ts";
import { anySource } from "../trace/any-source.ts";
import { EXIT } from "./exit.ts";
import { exitWith } from "./guard.ts";
import { colors, formatBytes, formatCount, writeJson, writeLine } from "./output.ts";
import { addProgressOption, meanwhile } from "./progress.ts";
import { addTokenOption, type TokenFlags, tokensOf } from "./token.ts";

export function register(program: Command): void {
  const command = program
    .command("validate")
    .description("check every record and hash of a trace, its dataset and its checkpoints, without executing anything")
    .argument("<trace>", "a trace file, or the address of a server that serves one")
    .option("--json", "one JSON object");
  addProgressOption(addTokenOption(command)).action(validate);
}

async function validate(path: string, flags: TokenFlags & { json?: boolean }): Promise<void> {
  const tokenFor = await tokensOf(flags);
  const found = await meanwhile(`reading ${path}`, async () => validateTrace(await anySource(path, tokenFor)));
  if (flags.json) writeJson(validationJson(path, found));
  else print(path, found);
  exitWith(found.problems.length === 0 ? EXIT.agree : EXIT.divergence);
}

function validationJson(path: string, { trace, problems, ...counts }: Validation) {
  const { runRoot, manifest } = trace;
  return {
    schemaVersion: 1,
    outcome: problems.length === 0 ? "valid" : "damaged",
    trace: path,
    claim: runRoot ? formatClaim({ run: runRoot }) : null,
    job: toHex(manifest.jobId),
    steps: manifest.outline.steps,
    ...counts,
    problems,
  };
}

function print(path: string, found: Validation): void {
  const { trace, size, records, roots, dataset, checkpoints, stopped, stray, problems } = found;
  const rows: [string, string][] = [
    ["run root", trace.runRoot ? toHex(trace.runRoot) : "none: the run is not finished"],
    ["job", toHex(trace.manifest.jobId)],
    ["trace", `${formatBytes(size)}, ${formatCount(records)} records with ${formatCount(roots)} state roots`],
    ["dataset", { none: "the job needs none", present: "there", missing: "not there: it can't be executed" }[dataset]],
    ["checkpoints", checkpoints.length > 0 ? `after steps ${shortened(checkpoints)}` : "none"],
  ];
  if (stopped.length > 0) rows.push(["stopped", `the state after step ${shortened(stopped)}`]);
  if (stray.length > 0) rows.push(["ignored", shortened(stray)]);
  writeLine(path);
  for (const [name, text] of rows) writeLine(`  ${colors.dim(name.padEnd(12))} ${text}`);
  for (const { problem } of problems) writeLine(colors.red(problem));
  if (problems.length > 0) return;
  writeLine(colors.bold("Every hash is right."), "Whether the run is right is found out by `verde audit`.");
}

/** A long list with its middle left out. */
function shortened(list: readonly (string | number)[]): string {
  const shown = list.length <= 12 ? list : [...list.slice(0, 6), "…", ...list.slice(-5)];
  return shown.join(", ");
}
