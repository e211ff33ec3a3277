/**
 * The metrics of a run: numbers that each training step reports, as entries of its state. A record proves
 * that its metrics are in the state that it commits to (docs/trace-format.md).
 */
import type { Bytes } from "../encoding/bytes.ts";
import { climbLeaves, hashLeaf, leavesProofLength, type Proof, proveLeaves } from "../encoding/merkle.ts";
import { Tag } from "../encoding/tags.ts";
import {
  elementCount,
  type StateRoot,
  stateRootOf,
  stateTree,
  tensorRoot,
  type TensorRoot,
  type TensorType,
} from "../encoding/tensor.ts";
import { type ClosedJob, METRIC_PREFIX, stateTypes } from "../job/closed.ts";
import { fromBits } from "../repops/numbers/vf32.ts";

interface Metric {
  name: string;
  /** The number of the entry in the state. */
  entry: number;
  type: TensorType;
}

/**
 * The metrics that records carry, in their order: the entries `metrics/NAME` of the state that are one f32
 * number.
 */
export function metricsOf(job: Pick<ClosedJob, "step">): Metric[] {
  return stateTypes(job).flatMap(({ name, dtype, shape }, entry) =>
    name.startsWith(METRIC_PREFIX) && dtype === "f32" && elementCount(shape) === 1
      ? [{ name: name.slice(METRIC_PREFIX.length), entry, type: { dtype, shape } }]
      : [],
  );
}

export function metricNames(job: Pick<ClosedJob, "step">): string[] {
  return metricsOf(job).map(({ name }) => name);
}

/** Metrics as numbers by name. */
export function namedMetrics(names: readonly string[], bits: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, fromBits(bits[i])]));
}

/** The metrics of a job's states, and their proofs. */
export class MetricEntries {
  private readonly metrics: readonly Metric[];
  private readonly places: readonly number[];
  private readonly stateCount: number;
  /** The number of hashes of a proof. */
  readonly proofLength: number;

  constructor(job: Pick<ClosedJob, "step">) {
    this.metrics = metricsOf(job);
    this.places = this.metrics.map(({ entry }) => entry);
    this.stateCount = job.step.outputs.length;
    this.proofLength = this.count === 0 ? 0 : leavesProofLength(this.stateCount, this.places);
  }

  get count(): number {
    return this.metrics.length;
  }

  /**
   * One proof for all metrics of a state: the hashes of the state tree that their leaves do not give.
   * @param entries the roots of all entries of the state
   */
  prove(entries: readonly TensorRoot[]): Proof {
    return this.count === 0 ? [] : proveLeaves(stateTree(entries), this.places);
  }

  /**
   * The root of the state that has these metrics, by their proof. `undefined` when there are no metrics, or
   * the proof has another length.
   * @param bits the bit patterns of the metrics
   */
  stateRoot(bits: readonly number[], proof: Proof): StateRoot | undefined {
    const leaves = this.metrics.map(({ type }, i): Bytes => {
      const data = new Float32Array(Uint32Array.of(bits[i]).buffer);
      return hashLeaf(Tag.stateLeaf, tensorRoot({ ...type, data }));
    });
    const tree = climbLeaves(leaves, this.stateCount, this.places, proof);
    return tree && stateRootOf(this.stateCount, tree);
  }
}
