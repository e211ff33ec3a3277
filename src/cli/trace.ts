/** `verde trace`: what is done to a trace itself. */
import type { Command } from "commander";
import { type Repair, repairTrace } from "../trace/repair.ts";
import { writerOf } from "../trace/folder.ts";
import { formatBytes, reportLine, writeJson, writeLine } from "./output.ts";

interface Flags {
  dryRun?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("trace")
    .description("repair a trace that was cut or damaged")
    .command("repair")
    .description("cut a trace after its last good record, so that its run can be continued; a copy is kept")
    .argument("<trace>", "a trace file")
    .option("--dry-run", "say what is damaged, and change nothing")
    .option("--json", "one JSON object")
    .action(repair);
}

async function repair(path: string, flags: Flags): Promise<void> {
  const { dryRun = false } = flags;
  const writer = dryRun ? await writerOf(path) : undefined;
  if (writer !== undefined) reportLine(`verde: ${writer} is writing ${path}, so its end may not be damaged`);
  const found = await repairTrace(path, { dryRun });
  if (flags.json) writeJson(repairJson(path, found, dryRun));
  else writeLine(...describe(path, found, dryRun));
}

function repairJson(path: string, found: Repair, dryRun: boolean) {
  const { problem, kept, cut, lastStep, steps, complete, copy = null, states, continuesFrom = null } = found;
  return {
    schemaVersion: 1,
    trace: path,
    dryRun,
    damaged: cut > 0 || states.length > 0,
    problem: problem ? { code: problem.code, message: problem.message } : null,
    kept,
    cut,
    lastStep,
    steps,
    complete,
    copy,
    checkpoints: states.map(({ file, problem: what, movedTo = null }) => ({ file, problem: what, movedTo })),
    continuesFrom,
  };
}

function describe(path: string, found: Repair, dryRun: boolean): string[] {
  const { problem, cut, lastStep, steps, complete, copy, states } = found;
  const good = lastStep < 0 ? "only the manifest is good" : `step ${lastStep} of ${steps} is its last good record`;
  const lines: string[] = [];
  if (problem) lines.push(problem.message.replace(/; restore the file, or cut it .*$/, "."));
  if (cut > 0) {
    const what = `${formatBytes(cut)} after it ${dryRun ? "would be" : "are"} cut off`;
    lines.push(`${path}: ${complete ? "the run is finished, and its end record is good" : good}; ${what}.`);
  }
  if (copy !== undefined) lines.push(`The file as it was is in ${copy}.`);
  for (const { problem: what, movedTo } of states)
    lines.push(
      `${what.replace(/; .*$/, "")}${movedTo === undefined ? "; it would be moved aside." : `; it is in ${movedTo} now.`}`,
    );
  if (lines.length === 0) lines.push(`${path}: nothing is damaged; ${complete ? "the run is finished" : good}.`);
  if (!complete) lines.push(next(found));
  else if (states.some(({ step }) => step === steps))
    lines.push(
      "The run is finished, and its last state is gone: restore the file, or make it again with `verde run … --resume --force`, which begins again.",
    );
  else if (states.some(({ step }) => step === undefined))
    lines.push("`verde run … --resume` writes the dataset again.");
  return lines;
}

function next({ continuesFrom, lastStep }: Repair): string {
  if (continuesFrom !== undefined)
    return `Continue with \`verde run … --resume\`: it starts from the state after step ${continuesFrom}.`;
  const force = lastStep > 0 ? " --force" : "";
  return `No checkpoint is left: \`verde run … --resume${force}\` begins again.`;
}
