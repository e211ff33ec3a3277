/** Executes shards of training steps on a backend of this process. */
import { byteLength, type Tensor, type TensorRoot, tensorRoot } from "../encoding/tensor.ts";
import type { Cut } from "../graph/shards.ts";
import { type Backend, type ExecuteReport, lend, type Session } from "../repops/backends/backend.ts";
import { strikeOf } from "../trace/drill/place.ts";
import { struckBackend } from "../trace/drill/struck.ts";
import type { Fault } from "../trace/fault.ts";
import type { ShardPlan } from "./plan.ts";

/** What shards have computed. Operators and tensors have their numbers in the step graph. */
export interface Computed extends Pick<ExecuteReport, "outOfRange" | "noted"> {
  /** The tensors that the shards give. */
  readonly outputs: ReadonlyMap<number, Tensor>;
  /** The roots of the outputs of all operators that were executed, if they were wanted. */
  readonly roots: ReadonlyMap<number, TensorRoot>;
  /** Copies of operators' outputs, if they were wanted. */
  readonly captured: ReadonlyMap<number, Tensor>;
}

/** What is wanted of an execution beside its outputs. */
export interface ComputeOptions {
  /** The roots of all operators. */
  roots?: boolean;
  /** Operators whose outputs are copied, as far as the shards execute them. */
  capture?: readonly number[];
}

interface Prepared {
  readonly cut: Cut;
  readonly session: Session;
  /** The version of each entry that the session has. */
  readonly versions: number[];
}

/**
 * The most sets of shards that are kept prepared, and the bytes of operators' outputs up to which they
 * are.
 */
const [MOST_PREPARED, MOST_BYTES] = [8, 2 ** 26];

export class ShardExecutor {
  private readonly plan: ShardPlan;
  private readonly backend: Backend;
  private readonly fault: Fault | undefined;
  private readonly entries: (Tensor | undefined)[] = [];
  private readonly versions: number[] = [];
  private version = 0;
  /** By their shards; the one that was used last is last. */
  private readonly prepared = new Map<string, Prepared>();

  /** @param fault is planted in a training step, for drills: a flipped bit */
  constructor(plan: ShardPlan, backend: Backend, fault?: Fault) {
    this.plan = plan;
    this.backend = backend;
    this.fault = fault;
  }

  /** Sets an entry of the state, by its place in the plan. The tensor must not change afterwards. */
  put(place: number, tensor: Tensor): void {
    this.entries[place] = tensor;
    this.versions[place] = ++this.version;
  }

  /** The roots of the entries that shards read, hashed where they are for these shards. */
  async roots(shards: readonly number[], step: number): Promise<TensorRoot[]> {
    const { cut, session } = await this.ready(shards, step);
    return Promise.all(
      this.plan.entries.map(async (entry, place) => {
        const own = cut.own(entry);
        return own === undefined ? tensorRoot(this.entries[place]!) : (await session.roots([own]))[0];
      }),
    );
  }

  /**
   * Executes some shards of a training step.
   * @throws {BackendError} when the backend can't run them
   */
  async execute(shards: readonly number[], step: number, options: ComputeOptions = {}): Promise<Computed> {
    const { cut, session } = await this.ready(shards, step);
    const { kernels } = cut;
    const capture = (options.capture ?? []).map((kernel) => kernels.indexOf(kernel)).filter((own) => own >= 0);
    const report = await session.execute({ ...(options.roots && { rootsOf: "all" }), capture });
    const outputs = new Map<number, Tensor>();
    for (const tensor of this.plan.outputsOf(shards)) outputs.set(tensor, await session.read(cut.own(tensor)!));
    const whole = <T>(map: ReadonlyMap<number, T>) => new Map([...map].map(([own, value]) => [kernels[own], value]));
    return {
      outputs,
      outOfRange: report.outOfRange.map(({ kernel, count }) => ({ kernel: kernels[kernel], count })),
      ...(report.noted && { noted: report.noted.map((found) => ({ ...found, kernel: kernels[found.kernel] })) }),
      roots: whole(report.roots),
      captured: whole(report.captured),
    };
  }

  async close(): Promise<void> {
    for (const { session } of this.prepared.values()) await session.close();
    this.prepared.clear();
  }

  /** A session for these shards that has the present state. */
  private async ready(shards: readonly number[], step: number): Promise<Prepared> {
    const isStruck = this.fault?.kind === "flip" && this.fault.step === step;
    const key = `${shards.join()}${isStruck ? " struck" : ""}`;
    const known = this.prepared.get(key) ?? (await this.prepare(shards, isStruck));
    // The last one in the order.
    this.prepared.delete(key);
    this.prepared.set(key, known);
    for (const [place, entry] of this.plan.entries.entries()) {
      const own = known.cut.own(entry);
      if (own === undefined || known.versions[place] === this.versions[place]) continue;
      await known.session.write(own, this.entries[place]!);
      known.versions[place] = this.versions[place];
    }
    return known;
  }

  private async prepare(shards: readonly number[], isStruck: boolean): Promise<Prepared> {
    const { plan, backend } = this;
    const cut = plan.cutOf(shards);
    const bytes = cut.list.kernels.reduce((sum, { type }) => sum + byteLength(type), 0);
    for (const [key, { session }] of this.prepared)
      if (bytes > MOST_BYTES || this.prepared.size >= MOST_PREPARED) {
        await session.close();
        this.prepared.delete(key);
      }
    const states = plan.job.step.outputs.length;
    const data = cut.inputs.flatMap((input, own) => (input < states ? [] : [{ own, tensor: input - states }]));
    const keep = plan.outputsOf(shards).map((tensor) => cut.own(tensor)!);
    const on = isStruck ? this.struck(cut) : backend;
    const session = await on.prepare(cut.list, { keep, lent: data.map(({ own }) => own) });
    for (const { own, tensor } of data) await lend(session, own, plan.job.dataset[tensor]);
    return { cut, session, versions: [] };
  }

  /** The backend with the fault, if one of the operators is the one that it strikes. */
  private struck({ list, kernels }: Cut): Backend {
    const strike = this.fault && strikeOf(this.plan.job, this.fault);
    const kernel = strike ? kernels.indexOf(strike.kernel) : -1;
    return strike && kernel >= 0 ? struckBackend(this.backend, { ...strike, list, kernel }) : this.backend;
  }
}

/** Notes of operators from several sides. Operators that all shards need may be in several. */
export const byKernel = <T extends { kernel: number }>(lists: readonly (readonly T[])[]): T[] =>
  [...new Map(lists.flat().map((each) => [each.kernel, each])).values()].sort((a, b) => a.kernel - b.kernel);

/** What several have computed, as one result. */
export function joined(results: readonly Computed[]): Computed {
  const noted = results.map((result) => result.noted);
  return {
    outputs: new Map(results.flatMap(({ outputs }) => [...outputs])),
    outOfRange: byKernel(results.map(({ outOfRange }) => outOfRange)),
    // One that is blind leaves the run blind.
    ...(noted.every((list) => list !== undefined) && { noted: byKernel(noted) }),
    roots: new Map(results.flatMap(({ roots }) => [...roots])),
    captured: new Map(results.flatMap(({ captured }) => [...captured])),
  };
}
