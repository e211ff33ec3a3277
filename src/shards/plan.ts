/**
 * How a closed job's training step is cut (spec 5.6): what the shards compute, what they read of the
 * state, and what is left. It follows from the job's graph alone.
 */
import { byteLength, type TensorType } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import { type Cut, cutOut, shardsOf } from "../graph/shards.ts";
import type { ClosedJob } from "../job/closed.ts";
import { typeOf } from "../repops/kernels/kernel.ts";

/** The most sets of shards whose operators are remembered. */
const MOST_CUTS = 64;

export class ShardPlan {
  readonly job: ClosedJob;
  /** The number of shards. */
  readonly count: number;
  /** For each shard, the tensors of the step graph that it gives to the rest of the step. */
  readonly outputs: readonly (readonly number[])[];
  /** The entries of the state that shards read, by their numbers, and their types. */
  readonly entries: readonly number[];
  readonly entryTypes: readonly TensorType[];
  /** What is left of the step. Its inputs are those of the step graph, then the shards' outputs. */
  readonly rest: Cut;
  private readonly cuts = new Map<string, Cut>();

  /** @throws {JobError} when the job has no shards */
  constructor(job: ClosedJob) {
    const { step } = job;
    const shards = shardsOf(step);
    if (!shards)
      throw new JobError(
        "SHARDS",
        `the batch of ${job.name} is not cut into shards, so there is nothing that workers could do; write \`shards: 4\` in its defineJob, or run it without workers`,
        { job: job.name },
      );
    this.job = job;
    this.count = shards.count;
    this.outputs = shards.outputs;
    const given = shards.outputs.flat().sort((a, b) => a - b);
    const states = step.outputs.length;
    this.entries = cutOut(step, given).inputs.filter((input) => input < states);
    this.entryTypes = this.entries.map((entry) => step.inputs[entry]);
    const wanted = step.outputs.map(({ tensor }) => tensor);
    this.rest = cutOut(step, wanted, [...step.inputs.keys(), ...given]);
  }

  /** The operators that some shards need. */
  cutOf(shards: readonly number[]): Cut {
    const key = shards.join();
    const cut = this.cuts.get(key) ?? cutOut(this.job.step, this.outputsOf(shards));
    // Few sets are in use at a time.
    if (this.cuts.size >= MOST_CUTS) this.cuts.clear();
    this.cuts.set(key, cut);
    return cut;
  }

  /** The tensors that some shards give, shard by shard. */
  outputsOf(shards: readonly number[]): number[] {
    return shards.flatMap((shard) => this.outputs[shard]);
  }

  /** The type of a tensor of the step graph. */
  typeOf(tensor: number): TensorType {
    return typeOf(this.job.step, tensor);
  }

  /** The bytes of what some shards give. */
  outputBytes(shards: readonly number[]): number {
    return this.outputsOf(shards).reduce((sum, tensor) => sum + byteLength(this.typeOf(tensor)), 0);
  }
}
