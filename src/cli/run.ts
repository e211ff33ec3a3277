/** `verde run`: trains a job and writes its trace. */
import type { Command } from "commander";
import { type Bytes, toHex } from "../encoding/bytes.ts";
import { messageOf, UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { type ClosedJob } from "../job/closed.ts";
import { countByTraining } from "../job/parameters.ts";
import { BACKEND_NAMES } from "../repops/backends/index.ts";
import { openBackendFor } from "../trace/chosen-backend.ts";
import { parseFault } from "../trace/fault.ts";
import type { RunOptions, RunResult } from "../trace/run.ts";
import type { KeyFlags } from "./account.ts";
import { addKeyOptions, claimRun } from "./claims.ts";
import { formatAddress, formatClaim } from "../claims/claim.ts";
import type { OpenBackend } from "../certify/choose.ts";
import { addJobHelp, jobOptions, optionNames, SEED, STEPS } from "./job-options.ts";
import { colors, formatNumber, formatSeconds, printRow, reportLine, writeJson, writeLine } from "./output.ts";
import { addThreadsOption } from "./threads.ts";
import { addProgressOption, Progress } from "./progress.ts";
import { describeFallback, describeObserved } from "./observed.ts";
import { listOperators } from "./operators.ts";
import { describeKept, describeUsed, RunProgress, stepLine, type Used } from "./run-progress.ts";
import { withBoard } from "./tensorboard.ts";
import { openJob } from "./open-job.ts";
import { formatParameters } from "./parameters.ts";
import { addWeightOptions, type WeightFlags, withWeights } from "./weights.ts";
import { runUntilStopped } from "./stop.ts";
import { addTokenOption } from "./token.ts";
import { takeCards } from "./devices.ts";
import { addWorkerOptions, distributed, openCrew, reportCrew, type WorkerFlags } from "./workers.ts";

interface Flags extends KeyFlags, WeightFlags, WorkerFlags {
  out?: string;
  steps?: string;
  seed?: string;
  detail: string;
  checkpointEvery: number | "auto";
  commitEvery: number | "auto";
  strict?: boolean;
  resume?: boolean;
  force?: boolean;
  stopOnDivergence: boolean;
  json?: boolean;
  listOperators?: boolean;
  tensorboard?: string;
}

export function register(program: Command): void {
  const command = program
    .command("run")
    .description("train a job and commit to every state")
    .argument("<job>", "module that exports a job, for example examples/char-gpt.ts; or a job file")
    .argument("[options...]", "the job's own options: --name value")
    .option(...STEPS)
    .option(...SEED)
    .option("--out <file>", "the trace to write; without this option nothing is kept")
    .option("--detail <level>", "steps; or operators, to write the root of every operator's output too", "steps")
    .option("--commit-every <n>", "training steps between two roots; auto: by the job", cadence, "auto")
    .option(
      "--checkpoint-every <n>",
      "training steps between two checkpoints; 0: the first and last only; auto: by job, time and disk",
      cadence,
      "auto",
    )
    .option(
      "--backend <name>",
      `${BACKEND_NAMES}; auto (default): the fastest for the job; or a module that exports a backend`,
    )
    .option("--strict", "compute floats with integers only, if the backend has such a mode (webgpu)")
    .option(
      "--fault <fault>",
      "deviate on purpose, for drills: flip:…, lr:…, data:…, skip:… (see docs/guides/resolve-a-dispute.md)",
    )
    .option("--resume", "continue a trace that was cut off or stopped")
    .option("--force", "overwrite an existing trace; with --resume: begin again where no checkpoint is left")
    .option("--stop-on-divergence", "stop a run that has diverged (default)")
    .option("--no-stop-on-divergence", "run it to its last step all the same")
    .option("--tensorboard <dir>", "write the metrics to an event file for TensorBoard in this folder, while it runs")
    .option("--list-operators", "list the operators of the step graph, and run nothing")
    .option("--json", "one JSON object on each line")
    .allowUnknownOption();
  addJobHelp(program, command);
  addWeightOptions(command);
  addTokenOption(addWorkerOptions(command));
  addProgressOption(addThreadsOption(addKeyOptions(command))).action(
    async (path: string, rest: string[], flags: Flags) => {
      const { steps, seed } = flags;
      const set = { ...(steps !== undefined && { steps }), ...(seed !== undefined && { seed }) };
      const own = optionNames(command);
      const job = await withWeights(await openJob(path, { ...jobOptions(rest, own), ...set }, own), flags);
      if (flags.listOperators) listOperators(job, flags.json ?? false);
      else await train(job, flags);
    },
  );
}

/** A number of training steps, or the choice is Verde's. */
function cadence(text: string): number | "auto" {
  return text === "auto" ? text : count(text);
}

export function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new UsageError(
      "VALUE",
      `${quote(JSON.stringify(text))} is not a whole number from 0 to 2^53 - 1; write only digits`,
      {
        found: text,
      },
    );
  return value;
}

async function train(job: ClosedJob, flags: Flags): Promise<void> {
  if (flags.detail !== "steps" && flags.detail !== "operators")
    throw new UsageError("VALUE", `--detail ${flags.detail} is neither steps nor operators; write one of the two`, {
      expected: ["steps", "operators"],
      found: flags.detail,
    });
  for (const { message } of job.warnings ?? []) reportLine(`verde: warning: ${message}`);
  const progress = new Progress();
  const opening = flags.backend === undefined ? "choosing a backend" : `opening the backend ${flags.backend}`;
  progress.show(opening, true);
  const say = (line: string): void => {
    progress.clear();
    reportLine(line);
  };
  const shown = new RunProgress(job, progress);
  // Before the backend is opened: it takes the first of them.
  const cards = await takeCards(flags);
  const choice = await openBackendFor(job, flags, {
    strict: flags.strict ?? false,
    say: (line) => {
      say(line);
      progress.show(opening, true);
    },
  });
  const crew = await openCrew(job, choice.backend, flags, { cards, say });
  const options: RunOptions = {
    ...(crew && { distribute: distributed(crew) }),
    ...(flags.out !== undefined && { out: flags.out }),
    backend: choice.backend,
    commitEvery: flags.commitEvery,
    checkpointEvery: flags.checkpointEvery,
    detail: flags.detail,
    ...(flags.fault !== undefined && { fault: parseFault(flags.fault) }),
    resume: flags.resume ?? false,
    force: flags.force ?? false,
    ...(flags.fault === undefined && { stopOnDivergence: flags.stopOnDivergence }),
    keepState: false,
    onPhase: (what) => shown.phase(what),
    onStep: (info) => {
      if (flags.json) writeJson(stepLine(info));
      else if (info.diverged) {
        const { at, what } = info.diverged;
        say(colors.red(`verde: diverged at training step ${info.step}: ${at} ${what}`));
      }
      // On one terminal the live line would stand between the objects.
      if (!flags.json || !process.stdout.isTTY) shown.step(info);
    },
  };
  const began = performance.now();
  const running = withBoard(flags.tensorboard, options, (own) => runUntilStopped(job, own, flags.json ?? false));
  const result = await running.finally(() => crew?.close());
  progress.clear();
  if (!result) return;
  const seconds = (performance.now() - began) / 1000;
  const workers = crew?.summary;
  const address = workers && workers.suspect > 0 ? undefined : await claimed(result, flags);
  const claim = formatClaim({ run: result.runRoot, ...(address && { address }) });
  const used = await shown.used(job.steps, flags.out);
  if (flags.json)
    writeJson({ ...summary(job, result, choice, flags, seconds), claim, ...used, ...(workers && { workers }) });
  else printSummary(job, result, choice, { ...flags, address, used }, seconds);
  if (workers) reportCrew(workers, flags.json ?? false);
}

/** Claims the run, if its trace is kept: otherwise nobody could answer for it. */
async function claimed({ runRoot }: RunResult, flags: Flags): Promise<Bytes | undefined> {
  if (flags.out === undefined) return undefined;
  try {
    return await claimRun(runRoot, flags.fault === undefined ? "own" : "drill", flags);
  } catch (error) {
    reportLine(`verde: the run is written, but not claimed: ${messageOf(error)}`);
    return undefined;
  }
}

function summary(
  job: ClosedJob,
  { runRoot, metrics, saturated, outOfRange, noted, diverged, cadence: kept, fallback, audit }: RunResult,
  { backend, device, passedOver, why }: OpenBackend,
  flags: Flags,
  seconds: number,
) {
  return {
    schemaVersion: 1,
    job: job.name,
    steps: job.steps,
    parameters: countByTraining(job),
    runRoot: toHex(runRoot),
    metrics: metrics.at(-1),
    seconds,
    ...(flags.out !== undefined && { trace: flags.out }),
    ...kept,
    backend: backend.name,
    ...(device && { device: device.name, software: device.software }),
    ...(why !== undefined && { why }),
    ...(passedOver.length > 0 && { passedOver }),
    saturated,
    outOfRange,
    ...(noted && { noted }),
    ...(diverged && { diverged }),
    audit,
    ...(job.warnings && { warnings: job.warnings }),
    ...(fallback && { fallback }),
    ...(flags.fault !== undefined && { fault: flags.fault }),
  };
}

function printSummary(
  job: ClosedJob,
  result: RunResult,
  { backend, device, why }: OpenBackend,
  { out, fault, address, used }: Flags & { address: Bytes | undefined; used: Used },
  seconds: number,
): void {
  const [first, last] = [result.metrics[1], result.metrics.at(-1)!];
  writeLine(`${job.name}: ${job.steps} training steps in ${formatSeconds(seconds)}`);
  for (const name of Object.keys(last))
    writeLine(`  ${name.padEnd(14)} ${formatNumber(first[name])} → ${formatNumber(last[name])}`);
  writeLine(`  model          ${formatParameters(countByTraining(job))}`);
  writeLine(`  run root       ${toHex(result.runRoot)}`);
  if (address) writeLine(`  claimed by     ${formatAddress(address)}`);
  const place = device ? ` on ${device.name}${device.software ? " (a software device)" : ""}` : "";
  writeLine(`  backend        ${backend.name}${place}${why === undefined ? "" : ` (auto: ${why})`}`);
  if (out !== undefined)
    writeLine(`  trace          ${out}`, `  kept           ${describeKept(result, job.steps, seconds)}`);
  for (const [name, text] of describeUsed(used)) writeLine(`  ${name.padEnd(14)} ${text}`);
  if (result.fallback) writeLine(`  fallback       ${describeFallback(result.fallback, seconds)}`);
  if (fault !== undefined) writeLine(colors.yellow(`  fault          ${fault} (a drill: this run is not honest)`));
  for (const row of describeObserved(result)) printRow(row);
}
