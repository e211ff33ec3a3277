/** A job in execution on one backend: its state stays where the backend keeps it, a step at a time. */
import { elementCount, type StateRoot, stateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import { JobError } from "../errors/index.ts";
import type { Graph } from "../graph/graph.ts";
import type { ClosedJob, NamedTensor } from "../job/closed.ts";
import type { Backend, ExecuteHooks, ExecuteReport, Session } from "../repops/backends/backend.ts";
import { bitsOf, canon, fromBits } from "../repops/numbers/vf32.ts";
import type { Fault } from "./fault.ts";
import { metricsOf } from "./open.ts";

type AfterKernel = NonNullable<ExecuteHooks["afterKernel"]>;

/** What a caller wants to see of a step's kernels. */
export interface Watch {
  afterKernel: AfterKernel;
  /** Absent: all kernels. */
  at?: ReadonlySet<number>;
}

const RATE_LABEL = "learning-rate";

export class Execution {
  readonly job: ClosedJob;
  private readonly backend: Backend;
  private readonly fault: Fault | undefined;
  private readonly session: Session;
  private step = -1;
  private foreignData = false;

  private constructor(job: ClosedJob, backend: Backend, session: Session, fault: Fault | undefined) {
    this.job = job;
    this.backend = backend;
    this.session = session;
    this.fault = fault;
  }

  /** @throws {JobError} for a fault that the job has no place for, {BackendError} when the job does not fit the backend */
  static async open(job: ClosedJob, backend: Backend, fault?: Fault): Promise<Execution> {
    if (fault) checkFault(job, fault);
    const keep = job.step.outputs.map(({ tensor }) => tensor);
    const session = await backend.prepare(job.step, { keep });
    const execution = new Execution(job, backend, session, fault);
    await execution.writeDataset((tensor) => tensor);
    return execution;
  }

  /** The number of steps behind the present state; -1 before there is one. */
  get at(): number {
    return this.step;
  }

  /** State 0: from the init graph, or the checkpoint that the job begins with. */
  async initialise(watch?: Watch): Promise<ExecuteReport> {
    const { init } = this.job;
    if (init.kind === "checkpoint") {
      await this.restore(0, init.state);
      return { outOfRange: [] };
    }
    const keep = init.graph.outputs.map(({ tensor }) => tensor);
    const session = await this.backend.prepare(init.graph, { keep });
    try {
      const report = await session.execute(this.hooks(0, init.graph, watch));
      for (const [i, tensor] of keep.entries()) await this.session.write(i, await session.read(tensor));
      this.step = 0;
      return report;
    } finally {
      await session.close();
    }
  }

  /** Goes on from a state that is known. */
  async restore(step: number, state: readonly Tensor[]): Promise<void> {
    for (const [i, tensor] of state.entries()) await this.session.write(i, tensor);
    this.step = step;
  }

  /** Runs one step. */
  async advance(watch?: Watch): Promise<ExecuteReport> {
    const step = this.step + 1;
    const foreign = this.fault?.kind === "data" && step >= this.fault.from;
    if (foreign !== this.foreignData) await this.writeDataset(foreign ? movedOn : (tensor) => tensor);
    this.foreignData = foreign;
    const report = await this.session.execute(this.hooks(step, this.job.step, watch));
    const skipped = this.fault?.kind === "skip" && step === this.fault.step;
    const pairs = this.job.step.outputs.map(({ tensor }, i) => ({ from: tensor, to: i }));
    if (!skipped) await this.session.copy(pairs.filter(({ from, to }) => from !== to));
    this.step = step;
    return report;
  }

  private async writeDataset(change: (tensor: Tensor) => Tensor): Promise<void> {
    const first = this.job.step.outputs.length;
    for (const [i, tensor] of this.job.dataset.entries()) await this.session.write(first + i, change(tensor));
  }

  /** The roots of the state's entries. */
  async entryRoots(): Promise<TensorRoot[]> {
    return this.session.roots([...this.job.step.outputs.keys()]);
  }

  async stateRoot(): Promise<StateRoot> {
    return stateRoot(await this.entryRoots());
  }

  async state(): Promise<NamedTensor[]> {
    const state: NamedTensor[] = [];
    for (const [i, { name }] of this.job.step.outputs.entries()) state.push({ name, ...(await this.session.read(i)) });
    return state;
  }

  /** Bit patterns of the metrics, in the order of the state. */
  async metrics(): Promise<number[]> {
    // All at once: on a device each read is a round trip.
    const values = await Promise.all(metricsOf(this.job).map(({ entry }) => this.session.read(entry)));
    return values.map(({ data }) => bitsOf(data[0]));
  }

  async close(): Promise<void> {
    await this.session.close();
  }

  /** The fault strikes before the watcher looks: it sees what this provider claims. */
  private hooks(step: number, graph: Graph, watch: Watch | undefined): ExecuteHooks {
    const strike = this.fault && strikeAt(this.fault, step, graph);
    if (!strike) return watch ?? { at: new Set() };
    const at = watch && !watch.at ? undefined : new Set([...(watch?.at ?? []), strike.kernel]);
    return {
      ...(at && { at }),
      afterKernel: (kernel, output, root) => {
        if (kernel === strike.kernel) strike.change(output);
        if (watch && (!watch.at || watch.at.has(kernel))) watch.afterKernel(kernel, output, root);
      },
    };
  }
}

/** The change that a fault makes to one kernel's output at this step, if it does. */
function strikeAt(
  fault: Fault,
  step: number,
  graph: Graph,
): { kernel: number; change: (output: Tensor) => void } | undefined {
  if (fault.kind === "flip" && fault.step === step)
    return {
      kernel: fault.node,
      change: ({ data }) => {
        new Uint32Array(data.buffer, data.byteOffset, data.length)[fault.element] ^= 1 << fault.bit;
      },
    };
  if (fault.kind === "lr" && step >= fault.from)
    return {
      kernel: rateKernel(graph),
      change: ({ data }) => {
        for (let i = 0; i < data.length; i++) data[i] = canon(Math.fround(data[i] * fault.factor));
      },
    };
  return undefined;
}

function rateKernel(graph: Graph): number {
  return graph.labels.findIndex((label) => label.split("/").at(-1) === RATE_LABEL);
}

/** The same rows, each one place further. */
function movedOn(tensor: Tensor): Tensor {
  const row = tensor.data.length / Math.max(tensor.shape[0] ?? 1, 1);
  const data = tensor.data.slice();
  data.set(tensor.data.subarray(row), 0);
  data.set(tensor.data.subarray(0, row), data.length - row);
  return { ...tensor, data };
}

/** @throws {JobError} when the job has no such step, node or element */
function checkFault(job: ClosedJob, fault: Fault): void {
  const step = fault.kind === "flip" || fault.kind === "skip" ? fault.step : fault.from;
  if (step > job.steps)
    throw new JobError("FAULT", `the fault is at step ${step}, but the job has ${job.steps}; choose one of them`, {
      fault,
    });
  if (fault.kind === "lr" && rateKernel(job.step) < 0)
    throw new JobError(
      "FAULT",
      `no node of the job is labelled …/${RATE_LABEL}, so its rate can't be changed; plant another fault`,
      { fault },
    );
  if (fault.kind === "data" && job.dataset.length === 0)
    throw new JobError("FAULT", "the job has no dataset that could be another; plant another fault", { fault });
  if (fault.kind !== "flip") return;
  const graph = fault.step > 0 ? job.step : job.init.kind === "graph" ? job.init.graph : undefined;
  if (!graph)
    throw new JobError("FAULT", "the job begins with a checkpoint, so step 0 has no nodes; choose a later step", {
      fault,
    });
  const kernel = graph.kernels[fault.node];
  if (!kernel)
    throw new JobError("FAULT", `node ${fault.node} does not exist; choose 0 to ${graph.kernels.length - 1}`, {
      fault,
    });
  const count = elementCount(kernel.type.shape);
  if (fault.element >= count)
    throw new JobError(
      "FAULT",
      `node ${fault.node} has ${count} elements; element ${fault.element} is none of them; choose 0 to ${count - 1}`,
      { fault },
    );
}

/** Metrics as numbers by name. */
export function namedMetrics(names: readonly string[], bits: readonly number[]): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [name, fromBits(bits[i])]));
}
