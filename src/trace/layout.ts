/**
 * Where the records of a trace's steps are in its file. The manifest alone says what each record holds, so
 * its length and its place are known without reading the records before it.
 */
import type { StateRoot } from "../encoding/tensor.ts";
import { isCommitted, segmentCount } from "./commitments.ts";
import type { Manifest } from "./manifest.ts";
import { MetricEntries } from "./metrics.ts";

/** What a step's record holds. */
interface StepCounts {
  rooted: boolean;
  metrics: number;
  /** The hashes that prove the metrics. */
  proof: number;
  /** The roots of operators' outputs. */
  operators: number;
  /** The roots of the entries of a given initial state. */
  entries: number;
}

/** The bytes of a record around its content: length, kind, hash. */
const FRAME = 37;

/** Step, flag and root; then four lists, each after its count. */
function contentBytes({ rooted, metrics, proof, operators, entries }: StepCounts): number {
  return 5 + (rooted ? 32 : 0) + 4 * 4 + 4 * metrics + 32 * (proof + operators + entries);
}

export class StepLayout {
  readonly steps: number;
  readonly commitEvery: number;
  readonly metrics: MetricEntries;
  /** The root of the checkpoint that the job starts from, if it does. */
  readonly given: StateRoot | undefined;
  private readonly initial: StepCounts;
  private readonly rooted: StepCounts;
  private readonly plain: StepCounts;

  constructor({ outline, commitEvery, detail }: Manifest) {
    const { steps, step, init } = outline;
    this.steps = steps;
    this.commitEvery = commitEvery;
    this.metrics = new MetricEntries(outline);
    this.given = init.kind === "checkpoint" ? init.root : undefined;
    const { count: metrics, proofLength: proof } = this.metrics;
    const operators = detail === "operators" ? step.kernels.length : 0;
    this.plain = { rooted: false, metrics, proof: 0, operators, entries: 0 };
    this.rooted = { ...this.plain, rooted: true, proof };
    this.initial = {
      ...this.rooted,
      operators: detail === "operators" && init.kind === "graph" ? init.graph.kernels.length : 0,
      entries: this.given ? step.outputs.length : 0,
    };
  }

  of(step: number): StepCounts {
    if (step === 0) return this.initial;
    return isCommitted(step, this.steps, this.commitEvery) ? this.rooted : this.plain;
  }

  /** The bytes of a record's content. */
  bytes(step: number): number {
    return contentBytes(this.of(step));
  }

  /** Where a step's record begins, in bytes after the manifest's record. */
  offset(step: number): number {
    if (step === 0) return 0;
    const rooted = this.rootsBefore(step) - 1;
    const [initial, long, short] = [this.initial, this.rooted, this.plain].map(
      (counts) => FRAME + contentBytes(counts),
    );
    return initial + rooted * long + (step - 1 - rooted) * short;
  }

  /** The number of committed states before a step: the place of its own root among all, if it has one. */
  rootsBefore(step: number): number {
    if (step === 0) return 0;
    if (step > this.steps) return segmentCount(this.steps, this.commitEvery);
    return 1 + Math.floor((step - 1) / this.commitEvery);
  }
}
