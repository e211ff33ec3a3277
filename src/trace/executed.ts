/** A training step between its execution and its report. */
import type { StateRoot, TensorRoot } from "../encoding/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { ClosedJob } from "../job/closed.ts";
import type { ExecuteReport } from "../repops/backends/backend.ts";
import type { Divergence } from "./observations.ts";
import type { StepInfo } from "./run.ts";
import type { Snapshot } from "./snapshot.ts";

/** A training step that was executed. */
export interface Executed {
  step: number;
  graph: Graph;
  report: ExecuteReport;
  metrics: number[];
  /** Of steps that are committed to. */
  roots?: Promise<TensorRoot[]>;
  /** Of steps that are checkpoints. */
  state?: Snapshot;
  /** The wall time so far, in seconds. */
  seconds(): number;
}

/** The graph that makes the state after a step. */
export const graphOf = ({ init, step: training }: ClosedJob, step: number): Graph =>
  step === 0 && init.kind === "graph" ? init.graph : training;

/** What a run reports after a step. */
export function stepInfo(
  job: Pick<ClosedJob, "steps" | "unit">,
  { root, divergence, ...step }: Pick<StepInfo, "step" | "metrics" | "seconds"> & Optional,
): StepInfo {
  return {
    ...step,
    steps: job.steps,
    unitsPerSecond: step.step === 0 ? 0 : job.unit.perStep / step.seconds,
    ...(root && { root }),
    ...(divergence?.step === step.step && { diverged: divergence }),
  };
}

/** Of a step that is committed to, and of a run that has diverged. */
interface Optional {
  root: StateRoot | undefined;
  divergence: Divergence | undefined;
}
