/** `verde job`: closed jobs as files, which anyone can run without executing the module that made them. */
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { exists } from "../files/regular.ts";
import type { ClosedJob } from "../job/closed.ts";
import { writeJobFile } from "../trace/job-file.ts";
import { jobFacts, printJob } from "./inspect/job.ts";
import { jobOptions, optionNames, SEED, STEPS } from "./job-options.ts";
import { openJob } from "./open-job.ts";
import { writeJson, writeLine } from "./output.ts";
import { addWeightOptions, type WeightFlags, withWeights } from "./weights.ts";

interface Flags extends WeightFlags {
  steps?: string;
  seed?: string;
}

export function register(program: Command): void {
  const job = program.command("job").description("write a closed job to a file, and show what a job is");
  const forJob = (name: string, description: string): Command =>
    job
      .command(name)
      .description(description)
      .argument("<job>", "module that exports a job, or a job file")
      .argument("[options...]", "the job's own options: --name value")
      .option(...STEPS)
      .option(...SEED)
      .allowUnknownOption();
  const exporting = forJob("export", "close a job, and write it with its data to one file for `verde run`")
    .requiredOption("--out <file>", "the file to write, for example job.verde")
    .option("--force", "overwrite an existing file")
    .option("--json", "one JSON object");
  addWeightOptions(exporting);
  exporting.action(async (path: string, rest: string[], flags: Flags & { out: string; force?: boolean }) => {
    const { out, force = false, json = false } = flags;
    await expectFree(out, force);
    const closed = await withWeights(await open(path, rest, flags, exporting), flags);
    await writeJobFile(out, closed);
    if (json) writeJson({ ...jobFacts(closed), file: out });
    else {
      printJob(jobFacts(closed));
      writeLine(`Run it with \`verde run ${out}\`: its options are fixed now.`);
    }
  });
  const showing = forJob("show", "show the id, the model and the data of a job").option("--json", "one JSON object");
  showing.action(async (path: string, rest: string[], flags: Flags) => {
    const facts = jobFacts(await open(path, rest, flags, showing));
    if (flags.json) writeJson(facts);
    else printJob(facts);
  });
}

function open(path: string, rest: readonly string[], { steps, seed }: Flags, command: Command): Promise<ClosedJob> {
  const own = optionNames(command);
  const set = { ...(steps !== undefined && { steps }), ...(seed !== undefined && { seed }) };
  return openJob(path, { ...jobOptions(rest, own), ...set }, own);
}

async function expectFree(out: string, force: boolean): Promise<void> {
  if (!force && (await exists(out)))
    throw new UsageError("EXISTS", `${out} exists; choose another name, or overwrite it with --force`, { out });
}
