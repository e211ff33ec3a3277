/** What a run's backend left to another one, summed over the steps. */
import type { Graph } from "../graph/graph.ts";
import type { Aside } from "../repops/backends/backend.ts";

export interface AsideSummary {
  backend: string;
  /** Operators of the step's graph that ran there. */
  operators: number;
  /** All operators of the step's graph. */
  of: number;
  /** What they are called, without the layers that they stand in. */
  labels: string[];
  /** Over the whole run, transfers included. */
  seconds: number;
}

/** The summary so far and one step more. */
export function addAside(
  before: AsideSummary | undefined,
  aside: Aside | undefined,
  graph: Graph,
): AsideSummary | undefined {
  if (!aside) return before;
  const names = aside.kernels.map((kernel) => graph.labels[kernel].split("/").at(-1) ?? "");
  return {
    backend: aside.backend,
    operators: aside.kernels.length,
    of: graph.kernels.length,
    labels: [...new Set(names)],
    seconds: (before?.seconds ?? 0) + aside.seconds,
  };
}
