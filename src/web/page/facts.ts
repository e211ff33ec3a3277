/** The facts about a trace that the page shows before anything is executed. */
import { toHex } from "../../encoding/bytes.ts";
import { countParameters } from "../../job/closed.ts";
import { messageOf } from "../../errors/index.ts";
import { namedMetrics } from "../../trace/execution.ts";
import { formatFault } from "../../trace/fault.ts";
import { checkpointsOf, expectComplete, metricNames, type Trace } from "../../trace/open.ts";
import { checkpointFile, dataFolder, DATASET_FILE } from "../../trace/source.ts";
import type { Facts } from "./protocol.ts";

export async function factsOf(trace: Trace): Promise<Facts> {
  const { path, manifest, records, runRoot, segmentRoots } = trace;
  const { outline, commitEvery, detail, backend, fault } = manifest;
  const names = metricNames(outline);
  const losses = names.includes("loss") ? records.map(({ metrics }) => namedMetrics(names, metrics).loss) : [];
  const unfinished = unfinishedBecause(trace);
  const missing = await missingFile(trace);
  return {
    path,
    job: outline.name,
    steps: outline.steps,
    recorded: records.length - 1,
    parameters: countParameters(outline),
    kernels: outline.step.kernels.length,
    commitEvery,
    detail,
    backend,
    checkpoints: await checkpointsOf(trace),
    losses,
    ...(fault && { fault: formatFault(fault) }),
    ...(runRoot && { runRoot: toHex(runRoot) }),
    ...(segmentRoots.length > 0 && { lastRoot: toHex(segmentRoots[segmentRoots.length - 1]) }),
    ...(unfinished !== undefined && { unfinished }),
    ...(missing !== undefined && { missing }),
  };
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
