/**
 * A provider with a fault, for drills. It has an honest execution, and a deviating one that takes over the
 * state for the training steps that the fault strikes. It deviates in the same way each time, so its prover
 * can replay the run.
 */
import type { StateRoot, Tensor, TensorRoot } from "../../encoding/tensor.ts";
import type { ClosedJob, NamedTensor } from "../../job/closed.ts";
import type { Backend, ExecuteOptions, ExecuteReport } from "../../repops/backends/backend.ts";
import { type AnyExecution, Execution } from "../execution.ts";
import type { Fault } from "../fault.ts";
import type { SelfAudit } from "../self-audit.ts";
import { strikeOf, strikesAt } from "./place.ts";
import { struckBackend } from "./struck.ts";

/**
 * The execution of a run: an honest one, unless the run's manifest states a fault.
 * @param audit of an honest run; a drill's wrong bits are wanted
 * @throws {JobError} when the job has no place for the fault
 * @throws {BackendError} when the job does not fit the backend
 */
export async function openExecution(
  job: ClosedJob,
  backend: Backend,
  fault?: Fault,
  audit?: SelfAudit,
): Promise<AnyExecution> {
  return fault ? FaultyExecution.open(job, backend, fault) : Execution.open(job, backend, { audit });
}

class FaultyExecution implements AnyExecution {
  readonly job: ClosedJob;
  private readonly fault: Fault;
  private readonly honest: Execution;
  private readonly openDeviating: () => Promise<Execution>;
  /** Opened when the first step is struck. */
  private deviating: Execution | undefined;
  /** Which of the two executions has the present state. */
  private current: Execution;

  private constructor(job: ClosedJob, fault: Fault, honest: Execution, openDeviating: () => Promise<Execution>) {
    this.job = job;
    this.fault = fault;
    this.honest = honest;
    this.openDeviating = openDeviating;
    this.current = honest;
  }

  static async open(job: ClosedJob, backend: Backend, fault: Fault): Promise<FaultyExecution> {
    const strike = strikeOf(job, fault);
    const on = strike ? struckBackend(backend, strike) : backend;
    const trained = fault.kind === "data" ? { ...job, dataset: job.dataset.map(movedOn) } : job;
    return new FaultyExecution(job, fault, await Execution.open(job, backend), () => Execution.open(trained, on));
  }

  get at(): number {
    return this.current.at;
  }

  async initialise(options?: ExecuteOptions): Promise<ExecuteReport> {
    this.current = await this.executionOf(0);
    return this.current.initialise(options);
  }

  async restore(step: number, state: readonly Tensor[]): Promise<void> {
    await this.current.restore(step, state);
  }

  async advance(options?: ExecuteOptions): Promise<ExecuteReport> {
    const { at } = this;
    const next = await this.executionOf(at + 1);
    if (next !== this.current) await next.restore(at, await this.current.state());
    this.current = next;
    if (this.fault.kind !== "skip" || !strikesAt(this.fault, at + 1)) return next.advance(options);
    // The work is done, and its result is thrown away.
    const before = await next.state();
    const report = await next.advance(options);
    await next.restore(at + 1, before);
    return report;
  }

  private async executionOf(step: number): Promise<Execution> {
    if (!strikesAt(this.fault, step)) return this.honest;
    return (this.deviating ??= await this.openDeviating());
  }

  async entryRoots(): Promise<TensorRoot[]> {
    return this.current.entryRoots();
  }

  async stateRoot(): Promise<StateRoot> {
    return this.current.stateRoot();
  }

  async state(): Promise<NamedTensor[]> {
    return this.current.state();
  }

  async entry(entry: number): Promise<NamedTensor> {
    return this.current.entry(entry);
  }

  async metrics(): Promise<number[]> {
    return this.current.metrics();
  }

  async close(): Promise<void> {
    await this.honest.close();
    await this.deviating?.close();
  }
}

/** The same rows, each moved on by one place. */
function movedOn<T extends Tensor>(tensor: T): T {
  const row = tensor.data.length / Math.max(tensor.shape[0] ?? 1, 1);
  const data = tensor.data.slice();
  data.set(tensor.data.subarray(row), 0);
  data.set(tensor.data.subarray(0, row), data.length - row);
  return { ...tensor, data };
}
