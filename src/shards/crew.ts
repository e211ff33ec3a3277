/**
 * The workers of a run, and what the coordinator does itself. The shards of each training step are dealt
 * out to the workers; those of a worker that fails are dealt out again, at last to the coordinator. Who
 * computes a shard changes no bit.
 */
import type { Tensor } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import type { Backend } from "../repops/backends/backend.ts";
import { jobId } from "../job/closed.ts";
import { jobToBytes } from "../trace/job-file.ts";
import type { WorkerAddress } from "./channel.ts";
import { draw, firstDifference, hasSameBits, type Lie, wouldStop } from "./checks.ts";
import { type Computed, type ComputeOptions, joined, ShardExecutor } from "./executor.ts";
import type { ShardPlan } from "./plan.ts";
import { failureText, type Snapshot, Worker, type WorkerSummary } from "./worker.ts";

export interface CrewOptions {
  /** The backend that computes what the coordinator computes itself. */
  backend: Backend;
  workers: readonly WorkerAddress[];
  /** The share of the workers' results that is computed again, from 0 to 1. Default: 0.05. */
  checked?: number;
  /** Milliseconds for an answer of a worker. Default: a minute. */
  timeout?: number;
  /** Called with what there is to tell a person: a worker that is replaced, or has lied. */
  say?(line: string): void;
  /** Gives numbers from 0 to 1 that no worker can foresee; for tests. */
  draw?(): number;
}

/** The share of results that is computed again, unless a run says otherwise. */
export const CHECKED = 0.05;
const TIMEOUT = 60_000;

/** What the workers of a run have done. */
export interface CrewSummary {
  shards: number;
  workers: readonly WorkerSummary[];
  /** Shards of training steps that the coordinator computed, because no worker did. */
  own: number;
  lies: readonly Lie[];
  /**
   * Results of workers that have lied which were not computed again. The trace may be wrong because of
   * them.
   */
  suspect: number;
}

/** What a worker has given for some shards. */
interface Result {
  readonly worker: Worker;
  readonly shards: readonly number[];
  readonly computed: Computed;
}

export class Crew {
  readonly plan: ShardPlan;
  private readonly workers: readonly Worker[];
  private readonly executor: ShardExecutor;
  private readonly checked: number;
  private readonly draw: () => number;
  private readonly say: (line: string) => void;
  private readonly lies: Lie[] = [];
  private own = 0;
  /** The entries that the executor has. */
  private taken: readonly Tensor[] = [];
  /** What would stop the run was computed again once, and is so: it needs no further look. */
  private isKnown = false;

  constructor(plan: ShardPlan, options: CrewOptions) {
    const { backend, workers, checked = CHECKED, timeout = TIMEOUT, say = () => undefined } = options;
    this.plan = plan;
    this.checked = checked;
    this.say = say;
    this.draw = options.draw ?? draw;
    this.executor = new ShardExecutor(plan, backend);
    const job = { id: jobId(plan.job), file: jobToBytes(plan.job) };
    this.workers = workers.map((address) => new Worker(address, { plan, job, timeout }));
  }

  /**
   * Connects to the workers and hands them the job.
   * @throws {JobError} when none of them can be used
   */
  async open(): Promise<void> {
    const reasons: string[] = [];
    await Promise.all(
      this.workers.map(async (worker) => {
        try {
          await worker.open();
        } catch (error) {
          await worker.fail();
          reasons.push(`${worker.name}: ${failureText(error)}`);
        }
      }),
    );
    if (this.workers.length > 0 && reasons.length === this.workers.length)
      throw new JobError(
        "WORKERS",
        `none of the workers can be used (${reasons.join("; ")}); start them with \`verde worker\`, and check their addresses`,
        { workers: this.workers.map(({ name }) => name) },
      );
    for (const reason of reasons) this.say(`verde: worker ${reason}; the others compute its shards`);
  }

  get summary(): CrewSummary {
    const { own, lies, workers, plan } = this;
    const suspect = lies.reduce((sum, { unchecked }) => sum + unchecked, 0);
    return {
      shards: plan.count,
      workers: workers.map(({ summary }) => ({ ...summary })),
      own,
      lies: [...lies],
      suspect,
    };
  }

  /**
   * Has all shards of a training step computed.
   * @throws {BackendError} when the coordinator's backend can't run what the workers did not
   */
  async compute(snapshot: Snapshot, options: ComputeOptions = {}): Promise<Computed> {
    this.taken = [];
    const all = Array.from({ length: this.plan.count }, (_, shard) => shard);
    // Copies of outputs are for this process alone: nobody else is asked for them.
    if (options.capture && options.capture.length > 0) return this.computeHere(snapshot, all, options);
    let left: readonly number[] = all;
    const results: Computed[] = [];
    let workers = this.workers.filter((worker) => worker.isNext());
    while (left.length > 0 && workers.length > 0) {
      const given = await this.dealOut(snapshot, left, workers, options.roots ?? false);
      workers = workers.filter((worker) => given.some((result) => result.worker === worker));
      for (const result of given) results.push(await this.looked(snapshot, result, options));
      const done = new Set(given.flatMap(({ shards }) => shards));
      left = left.filter((shard) => !done.has(shard));
    }
    if (left.length > 0) {
      this.own += left.length;
      results.push(await this.computeHere(snapshot, left, options));
    }
    return joined(results);
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.disconnect()));
    await this.executor.close();
  }

  /** Deals shards out in equal parts, in their order. @returns what those gave that gave something */
  private async dealOut(
    snapshot: Snapshot,
    shards: readonly number[],
    workers: readonly Worker[],
    roots: boolean,
  ): Promise<Result[]> {
    const parts = workers.map((worker, i) => {
      const [from, to] = [i, i + 1].map((place) => Math.floor((place * shards.length) / workers.length));
      return { worker, shards: shards.slice(from, to) };
    });
    const results = await Promise.all(
      parts.map(async ({ worker, shards: own }): Promise<Result | undefined> => {
        // With more workers than shards, some have nothing to do.
        if (own.length === 0) return undefined;
        try {
          const computed = await worker.compute(snapshot, own, roots);
          worker.summary.shards += own.length;
          return { worker, shards: own, computed };
        } catch (error) {
          await worker.fail();
          const which = own.length === 1 ? `shard ${own[0]}` : `shards ${own.join(", ")}`;
          this.say(
            `verde: training step ${snapshot.step}: worker ${worker.name} does not answer for ${which} (${failureText(error)}); ` +
              "others compute it",
          );
          return undefined;
        }
      }),
    );
    return results.filter((result) => result !== undefined);
  }

  /** A result after those of its shards were computed again that were drawn; with the right bits. */
  private async looked(snapshot: Snapshot, result: Result, options: ComputeOptions): Promise<Computed> {
    const { worker, shards, computed } = result;
    const mustLook = !this.isKnown && wouldStop(this.plan, computed);
    const drawn = mustLook ? shards : shards.filter(() => this.draw() < this.checked);
    if (drawn.length === 0) return computed;
    const own = await this.computeHere(snapshot, drawn, { roots: true });
    const wrong = drawn.find((shard) => !hasSameBits(this.plan, shard, own, computed));
    if (wrong === undefined) {
      worker.summary.checked += drawn.length;
      if (!mustLook) return computed;
      this.isKnown = wouldStop(this.plan, own);
      return { ...computed, outOfRange: own.outOfRange, ...(own.noted && { noted: own.noted }) };
    }
    await this.accuse(snapshot, result, wrong, own);
    return this.computeHere(snapshot, shards, options);
  }

  /** Names the operator, and does not ask the worker again. */
  private async accuse(
    snapshot: Snapshot,
    { worker, computed: sent }: Result,
    shard: number,
    own: Computed,
  ): Promise<void> {
    const claimed = await worker.compute(snapshot, [shard], true).catch(() => undefined);
    const { summary } = worker;
    summary.lied = true;
    await worker.disconnect();
    const found = firstDifference(this.plan, shard, { own, sent, claimed });
    // The shards of this step are computed again, all of them.
    const now = sent.outputs.size === 0 ? 0 : this.shardsOf(sent);
    const unchecked = Math.max(0, summary.shards - summary.checked - now);
    const lie: Lie = { worker: worker.name, step: snapshot.step, shard, ...found, unchecked };
    this.lies.push(lie);
    this.say(
      `verde: training step ${lie.step}: worker ${lie.worker} gave a wrong result for shard ${shard}: ` +
        `operator ${lie.operator} (${lie.label}); it is not asked again, and the run continues with the right bits`,
    );
  }

  private shardsOf({ outputs }: Computed): number {
    return this.plan.outputs.filter((tensors) => outputs.has(tensors[0])).length;
  }

  private async computeHere(
    { step, entries }: Snapshot,
    shards: readonly number[],
    options: ComputeOptions,
  ): Promise<Computed> {
    if (this.taken !== entries) entries.forEach((tensor, place) => this.executor.put(place, tensor));
    this.taken = entries;
    return this.executor.execute(shards, step, options);
  }
}
