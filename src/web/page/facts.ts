/** The facts about a trace that the page shows before anything is executed. */
import { toHex } from "../../encoding/bytes.ts";
import { countParameters } from "../../job/parameters.ts";
import { messageOf } from "../../errors/index.ts";
import { formatFault } from "../../trace/fault.ts";
import { metricNames, namedMetrics } from "../../trace/metrics.ts";
import { checkpointsOf, expectComplete, type Trace } from "../../trace/open.ts";
import { checkpointFile, dataFolder, DATASET_FILE } from "../../trace/source.ts";
import type { Facts } from "./protocol.ts";

/** The most points of the curve of the loss. More would not be visible. */
const MOST_POINTS = 2000;

export async function factsOf(trace: Trace): Promise<Facts> {
  const { path, manifest, recorded, committed, runRoot } = trace;
  const { outline, commitEvery, detail, backend, fault } = manifest;
  const lastRoot = await trace.rootOf(Math.min((committed - 1) * commitEvery, outline.steps));
  const unfinished = unfinishedBecause(trace);
  const missing = await missingFile(trace);
  return {
    path,
    job: outline.name,
    steps: outline.steps,
    recorded: recorded - 1,
    committed,
    parameters: countParameters(outline),
    kernels: outline.step.kernels.length,
    commitEvery,
    detail,
    backend,
    checkpoints: await checkpointsOf(trace),
    losses: await lossesOf(trace),
    ...(fault && { fault: formatFault(fault) }),
    ...(runRoot && { runRoot: toHex(runRoot) }),
    ...(lastRoot && { lastRoot: toHex(lastRoot) }),
    ...(unfinished !== undefined && { unfinished }),
    ...(missing !== undefined && { missing }),
  };
}

/** The losses of at most `MOST_POINTS` training steps, evenly spaced. State 0 has none. */
async function lossesOf(trace: Trace): Promise<Facts["losses"]> {
  const names = metricNames(trace.manifest.outline);
  const last = trace.recorded - 1;
  const losses: { step: number; loss: number }[] = [];
  if (!names.includes("loss")) return losses;
  for await (const { step, metrics } of trace.records(1, last, Math.max(Math.ceil(last / MOST_POINTS), 1)))
    losses.push({ step, loss: namedMetrics(names, metrics).loss });
  return losses;
}

function unfinishedBecause(trace: Trace): string | undefined {
  try {
    expectComplete(trace);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** The name of a missing file that every step needs: the dataset, or an initial state that no graph makes. */
async function missingFile({ path, manifest, source }: Trace): Promise<string | undefined> {
  const { datasetRoots, init } = manifest.outline;
  const needed = [
    ...(datasetRoots.length > 0 ? [DATASET_FILE] : []),
    ...(init.kind === "checkpoint" ? [checkpointFile(0)] : []),
  ];
  const names = await source.names();
  const missing = needed.find((name) => !names.includes(name));
  return missing === undefined ? undefined : `${dataFolder(path)}/${missing}`;
}
