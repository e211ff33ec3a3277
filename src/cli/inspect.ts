/** `verde inspect`: shows what a file contains, without running anything. Most of it is about traces. */
import type { Command } from "commander";
import { formatClaim } from "../claims/claim.ts";
import { ClaimStore } from "../claims/store.ts";
import { toHex } from "../encoding/bytes.ts";
import { formatType } from "../encoding/tensor.ts";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { countByTraining } from "../job/parameters.ts";
import { countScalarSteps } from "../referee/cost.ts";
import { claimOf } from "../referee/opened-party.ts";
import { formatFault } from "../trace/fault.ts";
import { openTrace } from "../trace/folder.ts";
import { metricNames, namedMetrics } from "../trace/metrics.ts";
import { checkpointsOf, type Trace } from "../trace/open.ts";
import { readJobFile } from "../trace/job-file.ts";
import { csvOf } from "./inspect/csv.ts";
import { jobFacts, printJob } from "./inspect/job.ts";
import { kindOf } from "./inspect/kind.ts";
import { inspectTensors } from "./inspect/tensors.ts";
import { inspectVerdict } from "./inspect/verdict.ts";
import { colors, formatCount, plotCurve, writeJson, writeJsonLists, writeLine, writeLines } from "./output.ts";
import { formatParameters } from "./parameters.ts";
import { writeBoard } from "./tensorboard.ts";

/** A curve is drawn from at most this many steps: more would not be visible. */
const MOST_POINTS = 2000;

export function register(program: Command): void {
  program
    .command("inspect")
    .description("show what a trace commits to, or what another file of Verde holds")
    .argument("<file>", "a trace, a checkpoint or other safetensors file, a verdict, or a job file")
    .option("--json", "one JSON object")
    .option("--csv", "the metrics of a trace as comma-separated values, one line for each training step")
    .option("--tensorboard <dir>", "write the metrics of a trace to an event file for TensorBoard in this folder")
    .action(inspect);
}

interface Flags {
  json?: boolean;
  csv?: boolean;
  tensorboard?: string;
}

async function inspect(path: string, { json = false, csv = false, tensorboard }: Flags): Promise<void> {
  const kind = await kindOf(path);
  if (csv && (json || tensorboard !== undefined))
    throw new UsageError("CONFLICT", "--csv writes nothing but the values; leave out the other option");
  if (kind !== "trace") {
    if (csv || tensorboard !== undefined)
      throw new UsageError("CONFLICT", `${path} is no trace, so it has no metrics; leave out the option`, { path });
    if (kind === "job") await inspectJob(path, json);
    else if (kind === "tensors") await inspectTensors(path, json);
    else await inspectVerdict(path, json);
    return;
  }
  const trace = await openTrace(path);
  if (csv) await writeLines(csvOf(trace));
  else if (tensorboard !== undefined) await exportBoard(trace, tensorboard, json);
  else {
    const facts = { ...describe(trace), claim: await claimIn(trace), checkpoints: await checkpointsOf(trace) };
    if (json) await writeJsonLists(facts, { roots: rootsOf(trace), metrics: metricsOfSteps(trace) });
    else await print(facts, trace);
  }
}

async function inspectJob(path: string, json: boolean): Promise<void> {
  const facts = jobFacts(await readJobFile(path));
  if (json) writeJson({ ...facts, file: path });
  else printJob(facts);
}

async function exportBoard(trace: Trace, folder: string, json: boolean): Promise<void> {
  const written = await writeBoard(trace, folder);
  if (json) writeJson({ schemaVersion: 1, trace: trace.path, ...written });
  else writeLine(`${written.file}: the metrics of ${formatCount(written.steps)} training steps`);
}

/** The claim as `verde check` takes it: with the key that claimed the run, if it is one of this user's. */
async function claimIn(trace: Trace): Promise<string | null> {
  const { runRoot: run, manifest } = trace;
  return run ? formatClaim(await claimOf({ manifest, runRoot: run }, new ClaimStore())) : null;
}

function describe(trace: Trace) {
  const { manifest, runRoot } = trace;
  const { outline } = manifest;
  return {
    schemaVersion: 3,
    trace: trace.path,
    job: outline.name,
    jobId: toHex(manifest.jobId),
    steps: outline.steps,
    recordedSteps: trace.recorded - 1,
    runRoot: runRoot ? toHex(runRoot) : null,
    commitEvery: manifest.commitEvery,
    checkpointEvery: manifest.checkpointEvery,
    detail: manifest.detail,
    backend: manifest.backend,
    fault: manifest.fault ? formatFault(manifest.fault) : null,
    parameters: countByTraining(outline),
    stateEntries: outline.step.outputs.length,
    dataset: outline.step.inputs
      .slice(outline.step.outputs.length)
      .map(({ name, ...type }) => ({ name, type: formatType(type) })),
    kernels: outline.step.kernels.length,
    scalarStepsPerStep: countScalarSteps(outline.step),
  };
}

async function* rootsOf(trace: Trace): AsyncGenerator<{ step: number; root: string }> {
  for await (const { step, root } of trace.records()) if (root) yield { step, root: toHex(root) };
}

/** `committed`: the metrics are in the state that the trace commits to. The others are only claimed. */
async function* metricsOfSteps(
  trace: Trace,
): AsyncGenerator<{ step: number; committed: boolean; values: Record<string, number> }> {
  const names = metricNames(trace.manifest.outline);
  for await (const { step, root, metrics } of trace.records())
    yield { step, committed: root !== undefined, values: namedMetrics(names, metrics) };
}

async function print(
  facts: ReturnType<typeof describe> & { claim: string | null; checkpoints: number[] },
  trace: Trace,
): Promise<void> {
  const rows: [string, string][] = [
    ["job", `${quote(facts.job)}  ${facts.jobId}`],
    ["steps", `${facts.recordedSteps} of ${facts.steps}, a root every ${facts.commitEvery}, detail ${facts.detail}`],
    ["model", `${formatParameters(facts.parameters)}, ${facts.stateEntries} tensors of state`],
    [
      "graph",
      `${facts.kernels} operators, ${formatCount(facts.scalarStepsPerStep)} scalar steps for each training step`,
    ],
    ["dataset", facts.dataset.map(({ name, type }) => `${quote(name)} ${type}`).join(", ") || "none"],
    ["backend", quote(facts.backend)],
    ["checkpoints", facts.checkpoints.join(", ") || "none on disk"],
    [
      facts.claim?.includes("@") ? "claim" : "run root",
      facts.claim ?? colors.yellow(`none: the run is not finished; ${unfinished(trace)}`),
    ],
  ];
  for (const [name, value] of rows) writeLine(`${colors.dim(name.padEnd(12))} ${value}`);
  if (facts.fault) writeLine(colors.yellow(`${"fault".padEnd(12)} ${facts.fault} (a drill: this run is not honest)`));
  writeLine(colors.dim("state roots"));
  for (const entry of await shownRoots(trace))
    writeLine(entry ? `  ${String(entry.step).padStart(8)}  ${entry.root}` : "         …");
  const losses = await lossesOf(trace);
  if (losses.length > 1) writeLine(colors.dim(lossTitle(trace)), ...plotCurve(losses));
}

const unfinished = ({ writer }: Trace): string =>
  writer === undefined ? "continue it with `verde run --resume`" : `${writer} is writing it`;

/** All roots, or the first three and the last three with a gap between. */
async function shownRoots(trace: Trace): Promise<({ step: number; root: string } | undefined)[]> {
  const { steps } = trace.manifest.outline;
  const { commitEvery } = trace.manifest;
  const at = async (index: number) => {
    const step = Math.min(index * commitEvery, steps);
    return { step, root: toHex((await trace.rootOf(step))!) };
  };
  const all = trace.committed;
  const shown = all <= 6 ? [...Array(all).keys()] : [0, 1, 2, undefined, all - 3, all - 2, all - 1];
  return Promise.all(shown.map((index) => (index === undefined ? undefined : at(index))));
}

/** The losses of the training steps, at most `MOST_POINTS` of them, evenly spaced. */
async function lossesOf(trace: Trace): Promise<number[]> {
  const names = metricNames(trace.manifest.outline);
  const last = trace.recorded - 1;
  const losses: number[] = [];
  for await (const { metrics } of trace.records(1, last, Math.max(Math.ceil(last / MOST_POINTS), 1)))
    losses.push(namedMetrics(names, metrics)["loss"] ?? NaN);
  return losses.filter(Number.isFinite);
}

function lossTitle(trace: Trace): string {
  const last = trace.recorded - 1;
  // The initial state is committed to, too.
  const proven = trace.committed - 1;
  const steps = `loss, training steps 1 to ${last}`;
  if (proven === last) return `${steps}, each proven by its state root`;
  if (proven === 0) return `${steps}, only claimed: no state root proves them yet`;
  return `${steps}: ${formatCount(proven)} proven by state roots, the others only claimed`;
}
