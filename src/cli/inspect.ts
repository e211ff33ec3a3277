/** `verde inspect`: shows what a trace contains, without running anything. */
import type { Command } from "commander";
import { formatClaim } from "../claims/claim.ts";
import { ClaimStore } from "../claims/store.ts";
import { toHex } from "../encoding/bytes.ts";
import { formatType } from "../encoding/tensor.ts";
import { countParameters } from "../job/closed.ts";
import { countScalarSteps } from "../referee/cost.ts";
import { claimOf } from "../referee/opened-party.ts";
import { namedMetrics } from "../trace/execution.ts";
import { formatFault } from "../trace/fault.ts";
import { openTrace } from "../trace/folder.ts";
import { checkpointsOf, metricNames, type Trace } from "../trace/open.ts";
import { colors, formatCount, plotCurve, writeJson, writeLine } from "./output.ts";

export function register(program: Command): void {
  program
    .command("inspect")
    .description("show what a trace commits to")
    .argument("<trace>", "a trace file")
    .option("--json", "one JSON object")
    .action(async (path: string, { json }: { json?: boolean }) => {
      const trace = await openTrace(path);
      const facts = { ...describe(trace), claim: await claimIn(trace), checkpoints: await checkpointsOf(trace) };
      if (json) writeJson(facts);
      else print(facts, trace);
    });
}

/** The claim as `verde check` takes it: with the key that claimed the run, if it is one of this user's. */
async function claimIn(trace: Trace): Promise<string | null> {
  const { runRoot: run, manifest } = trace;
  return run ? formatClaim(await claimOf({ manifest, runRoot: run }, new ClaimStore())) : null;
}

function describe(trace: Trace) {
  const { manifest, records, runRoot } = trace;
  const { outline } = manifest;
  const names = metricNames(outline);
  return {
    schemaVersion: 1,
    trace: trace.path,
    job: outline.name,
    jobId: toHex(manifest.jobId),
    steps: outline.steps,
    recordedSteps: records.length - 1,
    runRoot: runRoot ? toHex(runRoot) : null,
    commitEvery: manifest.commitEvery,
    checkpointEvery: manifest.checkpointEvery,
    detail: manifest.detail,
    backend: manifest.backend,
    fault: manifest.fault ? formatFault(manifest.fault) : null,
    parameters: countParameters(outline),
    stateEntries: outline.step.outputs.length,
    dataset: outline.step.inputs
      .slice(outline.step.outputs.length)
      .map(({ name, ...type }) => ({ name, type: formatType(type) })),
    kernels: outline.step.kernels.length,
    scalarStepsPerStep: countScalarSteps(outline.step),
    roots: records.flatMap(({ step, root }) => (root ? [{ step, root: toHex(root) }] : [])),
    metrics: records.map(({ metrics }) => namedMetrics(names, metrics)),
  };
}

function print(
  facts: ReturnType<typeof describe> & { claim: string | null; checkpoints: number[] },
  trace: Trace,
): void {
  const rows: [string, string][] = [
    ["job", `${facts.job}  ${facts.jobId}`],
    ["steps", `${facts.recordedSteps} of ${facts.steps}, a root every ${facts.commitEvery}, detail ${facts.detail}`],
    ["model", `${formatCount(facts.parameters)} parameters, ${facts.stateEntries} tensors of state`],
    [
      "graph",
      `${facts.kernels} operators, ${formatCount(facts.scalarStepsPerStep)} scalar steps for each training step`,
    ],
    ["dataset", facts.dataset.map(({ name, type }) => `${name} ${type}`).join(", ") || "none"],
    ["backend", facts.backend],
    ["checkpoints", facts.checkpoints.join(", ") || "none on disk"],
    [
      facts.claim?.includes("@") ? "claim" : "run root",
      facts.claim ?? colors.yellow("none: the run is not finished; continue it with `verde run --resume`"),
    ],
  ];
  for (const [name, value] of rows) writeLine(`${colors.dim(name.padEnd(12))} ${value}`);
  if (facts.fault) writeLine(colors.yellow(`${"fault".padEnd(12)} ${facts.fault} (a drill: this run is not honest)`));
  const { roots } = facts;
  const shown = roots.length <= 6 ? roots : [...roots.slice(0, 3), undefined, ...roots.slice(-3)];
  writeLine(colors.dim("state roots"));
  for (const entry of shown) writeLine(entry ? `  ${String(entry.step).padStart(8)}  ${entry.root}` : "         …");
  const losses = facts.metrics.slice(1).flatMap(({ loss }) => loss ?? []);
  if (losses.length > 1)
    writeLine(`${colors.dim(`loss, training steps 1 to ${trace.records.length - 1}`)}\n${plotCurve(losses)}`);
}
