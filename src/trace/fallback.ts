/** What a run's backend left to another one, summed over the steps. */
import type { Graph } from "../graph/graph.ts";
import type { Fallback } from "../repops/backends/backend.ts";

export interface FallbackSummary {
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
export function addFallback(
  before: FallbackSummary | undefined,
  fallback: Fallback | undefined,
  graph: Graph,
): FallbackSummary | undefined {
  if (!fallback) return before;
  const names = fallback.kernels.map((kernel) => graph.labels[kernel].split("/").at(-1) ?? "");
  return {
    backend: fallback.backend,
    operators: fallback.kernels.length,
    of: graph.kernels.length,
    labels: [...new Set(names)],
    seconds: (before?.seconds ?? 0) + fallback.seconds,
  };
}
