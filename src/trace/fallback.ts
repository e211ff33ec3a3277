/** What the fallback backend executed in a run, summed over the training steps. */
import type { Graph } from "../graph/graph.ts";
import type { Fallback } from "../repops/backends/backend.ts";

export interface FallbackSummary {
  backend: string;
  /** The number of operators of the step graph that ran on the fallback backend. */
  operators: number;
  /** The number of all operators of the step graph. */
  of: number;
  /** Their labels without the path of layers, each once. */
  labels: string[];
  /** Seconds over the whole run, transfers included. */
  seconds: number;
}

/** Adds one training step to the summary so far. */
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
