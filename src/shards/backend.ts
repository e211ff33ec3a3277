/**
 * A backend that gives the shards of a job's training steps to a crew, and executes the rest itself. From
 * outside it is a backend: the run that uses it records, commits and resumes as any other.
 */
import { bytesEqual } from "../encoding/bytes.ts";
import { stateRoot, type Tensor, type TensorRoot } from "../encoding/tensor.ts";
import type { Backend, ExecuteOptions, ExecuteReport, PrepareOptions, Session } from "../repops/backends/backend.ts";
import { lend } from "../repops/backends/backend.ts";
import { wantedOf } from "../repops/backends/wanted.ts";
import type { Crew } from "./crew.ts";
import { byKernel } from "./executor.ts";
import type { ShardPlan } from "./plan.ts";
import type { Snapshot } from "./worker.ts";

/**
 * The backend of a run whose shards a crew computes. Lists other than the job's training step run
 * unchanged.
 */
export function shardedBackend(backend: Backend, crew: Crew): Backend {
  const { plan } = crew;
  return {
    name: backend.name,
    prepare: async (list, options) => {
      if (list !== plan.job.step) return backend.prepare(list, options);
      const keep = options.keep.map((tensor) => plan.rest.own(tensor)!);
      // The inputs of the rest begin with those of the whole, in their order.
      const { lent } = options;
      const session = await backend.prepare(plan.rest.list, { keep, ...(lent && { lent }) } satisfies PrepareOptions);
      return new ShardedSession(session, plan, crew);
    },
  };
}

class ShardedSession implements Session {
  private readonly rest: Session;
  private readonly plan: ShardPlan;
  private readonly crew: Crew;
  /** What the shards read before the last training step. */
  private before: { readonly roots: readonly TensorRoot[] } | undefined;
  /** Training steps that were executed, for jobs whose state does not tell. */
  private executed = 0;

  constructor(rest: Session, plan: ShardPlan, crew: Crew) {
    this.rest = rest;
    this.plan = plan;
    this.crew = crew;
  }

  write(input: number, tensor: Tensor): Promise<void> {
    return this.rest.write(input, tensor);
  }

  lend(input: number, tensor: Tensor): Promise<void> {
    return lend(this.rest, input, tensor);
  }

  read(tensor: number): Promise<Tensor> {
    return this.rest.read(this.own(tensor));
  }

  move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    return this.rest.move(pairs.map(({ from, to }) => ({ from: this.own(from), to })));
  }

  roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return this.rest.roots(tensors.map((tensor) => this.own(tensor)));
  }

  close(): Promise<void> {
    return this.rest.close();
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const { plan, rest } = this;
    const { kernels } = plan.rest;
    const wanted = wantedOf(options, plan.job.step);
    const place = new Map(kernels.map((kernel, own) => [kernel, own]));
    const here = (list: Iterable<number>): number[] => [...list].flatMap((kernel) => place.get(kernel) ?? []);
    const elsewhere = [...wanted.captured].filter((kernel) => !place.has(kernel));
    const snapshot = await this.snapshot();
    const computed = await this.crew.compute(snapshot, { roots: wanted.roots.size > 0, capture: elsewhere });
    for (const [tensor, output] of computed.outputs) await rest.write(this.own(tensor), output);
    const audit = (options.audit ?? []).flatMap((at) => {
      const kernel = place.get(at.kernel);
      return kernel === undefined ? [] : [{ ...at, kernel }];
    });
    const report = await rest.execute({ rootsOf: here(wanted.roots), capture: here(wanted.captured), audit });
    this.executed++;
    const back = <T extends { kernel: number }>(list: readonly T[]): T[] =>
      list.map((each) => ({ ...each, kernel: kernels[each.kernel] }));
    const { noted, audited, fallback } = report;
    return {
      outOfRange: byKernel([computed.outOfRange, back(report.outOfRange)]),
      ...(noted && computed.noted && { noted: byKernel([computed.noted, back(noted)]) }),
      roots: inOrder(wanted.roots, computed.roots, report.roots, kernels),
      captured: inOrder(wanted.captured, computed.captured, report.captured, kernels),
      ...(audited && { audited: { ...audited, elements: back(audited.elements) } }),
      ...(fallback && { fallback: { ...fallback, kernels: fallback.kernels.map((kernel) => kernels[kernel]) } }),
    };
  }

  /** The number of a tensor in the rest. */
  private own(tensor: number): number {
    return this.plan.rest.own(tensor)!;
  }

  /** What shards read, and what of it has changed since the last training step. */
  private async snapshot(): Promise<Snapshot> {
    const { plan, rest, before } = this;
    const roots = await rest.roots(plan.entries);
    const entries: Tensor[] = [];
    for (const entry of plan.entries) entries.push(await rest.read(entry));
    const root = stateRoot(roots);
    this.before = { roots };
    const step = await this.stepNumber();
    if (!before) return { step, root, entries };
    const places = [...roots.keys()].filter((place) => !bytesEqual(roots[place], before.roots[place]));
    return { step, root, entries, changes: { base: stateRoot([...before.roots]), places } };
  }

  /** The number of the training step, which the state of a job counts. */
  private async stepNumber(): Promise<number> {
    const { inputs, outputs } = this.plan.job.step;
    const entry = outputs.findIndex(({ name }) => name === "step");
    const type = inputs[entry];
    if (!type || type.dtype !== "i32" || type.shape.length > 0) return this.executed + 1;
    return (await this.rest.read(entry)).data[0] + 1;
  }
}

/** What is wanted of operators, in the list's order, from the shards and from the rest. */
function inOrder<T>(
  wanted: ReadonlySet<number>,
  computed: ReadonlyMap<number, T>,
  rest: ReadonlyMap<number, T>,
  kernels: readonly number[],
): Map<number, T> {
  const all = new Map([...computed, ...[...rest].map(([own, value]): [number, T] => [kernels[own], value])]);
  return new Map([...wanted].sort((a, b) => a - b).map((kernel) => [kernel, all.get(kernel)!]));
}
