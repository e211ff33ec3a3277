/**
 * A job in execution on one backend, one training step at a time. The state stays where the backend keeps it.
 */
import { elementBits, type StateRoot, stateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import type { Graph } from "../graph/graph.ts";
import type { ClosedJob, NamedTensor } from "../job/closed.ts";
import {
  type Backend,
  type ExecuteOptions,
  type ExecuteReport,
  lend,
  type Preparation,
  type Session,
} from "../repops/backends/backend.ts";
import type { ElementOf } from "../repops/backends/audit.ts";
import { discard } from "../repops/backends/host.ts";
import { expectUnchanged } from "../repops/backends/native/mapped.ts";
import { executeNothing } from "../repops/backends/wanted.ts";
import { CapturedAudit } from "./captured-audit.ts";
import { checkFits } from "./fits.ts";
import { metricsOf } from "./metrics.ts";
import type { SelfAudit } from "./self-audit.ts";

/** A graph as it is prepared here, with its outputs kept. */
const asPrepared = (graph: Graph): Preparation => ({ list: graph, keep: graph.outputs.map(({ tensor }) => tensor) });

/** What can be done with an execution. A drill uses another implementation. */
export type AnyExecution = Pick<Execution, Exclude<keyof Execution, "take">>;

/** How an execution is opened. */
interface OpenOptions {
  /** Computes elements of some training steps again. */
  audit?: SelfAudit | undefined;
  /** Whether other jobs of the same graphs follow (`take`), so that what is prepared is kept. */
  reused?: boolean;
}

export class Execution {
  private current: ClosedJob;
  private readonly backend: Backend;
  private readonly session: Session;
  private readonly audit: SelfAudit | undefined;
  private readonly reused: boolean;
  /** The init graph, if it is prepared, and the dataset that it was given. */
  private initial: { session: Session; dataset: readonly Tensor[] } | undefined;
  /** For backends that can't audit themselves. */
  private captured: CapturedAudit | undefined;
  /** Seconds of the last execution without an audit. */
  private usual = 0;
  private step = -1;
  /** The roots of the entries that no training step changes, since the state was last given. */
  private frozen = new Map<number, TensorRoot>();

  private constructor(job: ClosedJob, backend: Backend, session: Session, { audit, reused = false }: OpenOptions) {
    this.current = job;
    this.backend = backend;
    this.session = session;
    this.audit = audit;
    this.reused = reused;
  }

  /**
   * @throws {JobError} when the job does not fit this machine
   * @throws {BackendError} when it does not fit the backend
   */
  static async open(job: ClosedJob, backend: Backend, options: OpenOptions = {}): Promise<Execution> {
    checkFits(job, backend);
    const keep = job.step.outputs.map(({ tensor }) => tensor);
    const first = job.step.outputs.length;
    const inputs = job.dataset.map((_, i) => first + i);
    // What is lent may not change before the session is closed.
    const lent = options.reused ? [] : inputs;
    if (job.init.kind === "graph") await backend.warmUp?.([job.step, job.init.graph].map(asPrepared));
    const session = await backend.prepare(job.step, { keep, lent });
    for (const [i, tensor] of job.dataset.entries())
      await (options.reused ? session.write(inputs[i], tensor) : lend(session, inputs[i], tensor));
    // A session that can't borrow has copied them by now.
    for (const { data } of job.dataset) expectUnchanged(data.buffer);
    return new Execution(job, backend, session, options);
  }

  get job(): ClosedJob {
    return this.current;
  }

  /**
   * Continues with another job of the same graphs, which has no state yet. Only an execution that was opened
   * to be reused can do this. A tensor of its dataset that is the very one of the job before is not written
   * again.
   */
  async take(job: ClosedJob): Promise<void> {
    const first = job.step.outputs.length;
    for (const [i, tensor] of job.dataset.entries())
      if (tensor.data !== this.current.dataset[i].data) await this.session.write(first + i, tensor);
    this.current = job;
    this.frozen = new Map();
    this.step = -1;
  }

  /** The number of training steps after which the state is the present one; -1 before there is a state. */
  get at(): number {
    return this.step;
  }

  /**
   * Makes state 0: from the init graph, or from the checkpoint that the job starts from, which no kernel
   * makes.
   * @param options what to record of the init graph's kernels
   * @throws {BackendError} for a kernel that the init graph does not have
   */
  async initialise(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const { init } = this.job;
    if (init.kind === "checkpoint") {
      const report = executeNothing(options);
      await this.restore(0, init.state);
      return report;
    }
    const keep = init.graph.outputs.map(({ tensor }) => tensor);
    const session = this.initial?.session ?? (await this.backend.prepare(init.graph, { keep }));
    try {
      if (init.graph.inputs.length > 0)
        for (const [i, tensor] of this.job.dataset.entries())
          if (tensor.data !== this.initial?.dataset[i].data) await session.write(i, tensor);
      if (this.reused) this.initial = { session, dataset: this.job.dataset };
      const report = await session.execute(options);
      this.frozen = new Map();
      for (const [i, tensor] of keep.entries()) {
        const made = await session.read(tensor);
        await this.session.write(i, made);
        discard(made);
      }
      this.step = 0;
      return report;
    } finally {
      if (!this.initial) await session.close();
    }
  }

  /** Continues from a state that is known. */
  async restore(step: number, state: readonly Tensor[]): Promise<void> {
    this.frozen = new Map();
    for (const [i, tensor] of state.entries()) await this.session.write(i, tensor);
    this.step = step;
  }

  /**
   * Runs one training step.
   * @param options what to record of the step graph's kernels
   * @throws {BackendError} for a kernel that the step graph does not have
   * @throws {RunError} when the audit finds wrong bits; then the state is the one before the step
   */
  async advance(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const report = await this.execute(options, this.audit?.elementsIn(this.step + 1) ?? []);
    this.audit?.check(this.step + 1, report);
    const pairs = this.job.step.outputs.map(({ tensor }, i) => ({ from: tensor, to: i }));
    await this.session.move(pairs.filter(({ from, to }) => from !== to));
    this.step++;
    return report;
  }

  /** @param audit elements that are computed again */
  private async execute(options: ExecuteOptions, audit: readonly ElementOf[]): Promise<ExecuteReport> {
    if (audit.length === 0) {
      const began = performance.now();
      const report = await this.session.execute(options);
      this.usual = (performance.now() - began) / 1000;
      return report;
    }
    if (this.captured) return this.captured.execute(this.session, audit, options, this.usual);
    const report = await this.session.execute({ ...options, audit });
    if (!report.audited) this.captured = new CapturedAudit(this.job.step);
    return report;
  }

  /**
   * The roots of the state's entries, as they are at the call: the next step may begin before they are there.
   * Entries that no step changes are hashed once.
   */
  async entryRoots(): Promise<TensorRoot[]> {
    const { outputs } = this.job.step;
    const { frozen } = this;
    const known = new Map(frozen);
    const open = [...outputs.keys()].filter((entry) => !known.has(entry));
    const roots = await this.session.roots(open);
    for (const [i, entry] of open.entries()) {
      known.set(entry, roots[i]);
      if (outputs[entry].tensor === entry) frozen.set(entry, roots[i]);
    }
    return [...outputs.keys()].map((entry) => known.get(entry)!);
  }

  async stateRoot(): Promise<StateRoot> {
    return stateRoot(await this.entryRoots());
  }

  async state(): Promise<NamedTensor[]> {
    const state: NamedTensor[] = [];
    for (const entry of this.job.step.outputs.keys()) state.push(await this.entry(entry));
    return state;
  }

  /** A copy of one entry of the state. */
  async entry(entry: number): Promise<NamedTensor> {
    return { name: this.job.step.outputs[entry].name, ...(await this.session.read(entry)) };
  }

  /** The bit patterns of the metrics, in the order of the state. */
  async metrics(): Promise<number[]> {
    // All at once, because on a device each read is a round trip.
    const values = await Promise.all(metricsOf(this.job).map(({ entry }) => this.session.read(entry)));
    // As patterns: a drill may leave one that is no number, and reading it as one could change it.
    return values.map((tensor) => elementBits(tensor, 0));
  }

  async close(): Promise<void> {
    await this.initial?.session.close();
    await this.session.close();
  }
}
