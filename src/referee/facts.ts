/**
 * What a referee has to know about a job (spec 7.4): the hashes of its parts, and those parts of its graphs
 * that the dispute passes. The facts come from a whole job, or from a verdict that shows only these, with
 * proofs.
 */
import { type JobId, jobIdOf, type JobOutline, type JobParts, partsOf } from "../job/closed.ts";
import type { Graph, NamedOutput, NamedType } from "../graph/graph.ts";
import type { Kernel } from "../repops/kernels/kernel.ts";

export type GraphKind = "init" | "step";

export interface GraphFacts {
  readonly inputs: readonly NamedType[];
  readonly outputs: readonly NamedOutput[];
  readonly kernelCount: number;
  /** @throws {DisputeError} for an operator that was not shown */
  kernel(index: number): Kernel;
  /** @throws {DisputeError} for a label that was not shown */
  label(index: number): string;
}

/** What a referee knows about a job (spec 7.4). */
export interface JobFacts {
  readonly id: JobId;
  readonly parts: JobParts;
  /** Training steps in a segment: how often a run commits to its state. */
  readonly commitEvery: number;
  /** @throws {DisputeError} for a graph that was not shown */
  graph(kind: GraphKind): GraphFacts;
}

function graphFacts({ inputs, outputs, kernels, labels }: Graph): GraphFacts {
  return {
    inputs,
    outputs,
    kernelCount: kernels.length,
    kernel: (index) => kernels[index],
    label: (index) => labels[index],
  };
}

/** The facts of a whole job. */
export function jobFacts(outline: JobOutline, commitEvery: number): JobFacts {
  const parts = partsOf(outline);
  return { id: jobIdOf(parts), parts, commitEvery, graph: (kind) => graphFacts(graphOf(outline, kind)) };
}

/** A graph of a job. A job that starts from a checkpoint has only the step graph. */
export function graphOf({ init, step }: JobOutline, kind: GraphKind): Graph {
  return kind === "init" && init.kind === "graph" ? init.graph : step;
}
