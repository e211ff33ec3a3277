/** A kernel list that is ready to run in native code, with its memory. */
import { os } from "../../../encoding/node.ts";
import type { Tensor, TensorRoot } from "../../../encoding/tensor.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import type { KernelList } from "../../kernels/kernel.ts";
import { runDefinition } from "../definition.ts";
import { copyOf, copyTensors } from "../host.ts";
import { Order } from "../in-order.ts";
import { emptyReport, isWatched, wantedOf } from "../wanted.ts";
import { Hasher, type Placed } from "./hasher.ts";
import type { Library, Memory } from "./library.ts";
import type { Parameters } from "./parameters.ts";
import type { Places } from "./plan.ts";
import type { Run } from "./table.ts";

/** An execution that takes longer is left to another thread, so that this one can do other things. In ms. */
const LONG = 5;

/** A list that is ready to run. */
export interface Prepared {
  memory: Memory;
  /** By number. Tensors that are moved change their places. */
  tensors: Tensor[];
  /** The outputs of kernels that are kept. */
  outputs: readonly number[];
  /** What runs for each kernel, and for each group. */
  alone: readonly Run[];
  together: readonly Run[];
  /** The kernels that are gathers. */
  gathers: readonly number[];
  /** Offsets in memory: the table of calls, the gathers' counters, the parameters of the calls. */
  table: number;
  counters: number;
  words: number;
  parameters: Parameters;
  places: Places;
  /** On so many threads. */
  threads: number;
  /** Leave everything to other threads. */
  beside: boolean;
}

export class NativeSession implements Session {
  private readonly library: Library;
  private readonly list: KernelList;
  private readonly prepared: Prepared;
  private readonly order = new Order();
  /** For roots of kernels' outputs, which the execution waits for. */
  private watcher: Hasher | undefined;
  /** For roots that are computed while the next execution runs. */
  private hasher: Hasher | undefined;
  private readonly needsAllCores: boolean;
  private long: boolean;

  constructor(library: Library, list: KernelList, prepared: Prepared) {
    this.library = library;
    this.list = list;
    this.prepared = prepared;
    this.needsAllCores = prepared.threads >= os.availableParallelism();
    this.long = prepared.beside;
    this.place();
  }

  /** Writes the parameters of all calls for the places where tensors are now. */
  private place(): void {
    const { memory, tensors, outputs, parameters, words, places } = this.prepared;
    const lasting = [...this.list.inputs.keys(), ...outputs];
    const key = lasting.map((tensor) => tensors[tensor].data.byteOffset).join();
    new BigInt64Array(memory.buffer, words, parameters.length).set(parameters.at(places, key));
  }

  private placed(tensor: number): Placed {
    return { type: this.prepared.tensors[tensor], address: this.prepared.places.tensor(tensor) };
  }

  /** Returns when no root of what these tensors' memory holds is being computed any more. */
  private async untilFree(tensors: readonly number[]): Promise<void> {
    await this.hasher?.untilFree(tensors.map((tensor) => this.prepared.places.tensor(tensor)));
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    const { tensors, places } = this.prepared;
    if (this.order.isIdle && !this.hasher?.isReading([places.tensor(input)])) return tensors[input].data.set(data);
    // The caller may change its tensor when this has returned.
    const taken = data.slice();
    return this.order.run(async () => {
      await this.untilFree([input]);
      tensors[input].data.set(taken);
    });
  }

  read(tensor: number): Promise<Tensor> {
    return this.order.run(async () => copyOf(this.prepared.tensors[tensor]));
  }

  /** An output and the input that takes its contents exchange their places; both are there for good. */
  move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    return this.order.run(async () => {
      const { tensors } = this.prepared;
      const exchanged = new Map<number, number>();
      for (const { from, to } of pairs) if (from >= this.list.inputs.length) exchanged.set(from, to);
      const copied = pairs.filter(({ from, to }) => exchanged.get(from) !== to);
      await this.untilFree(copied.map(({ to }) => to));
      copyTensors(tensors, copied);
      for (const [from, to] of exchanged) [tensors[from], tensors[to]] = [tensors[to], tensors[from]];
      this.place();
    });
  }

  execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    return this.order.run(() => this.executeNow(options));
  }

  private async executeNow(options: ExecuteOptions): Promise<ExecuteReport> {
    const { alone, together, tensors, outputs, gathers, memory, counters, threads, beside } = this.prepared;
    const wanted = wantedOf(options, this.list);
    const report = emptyReport();
    // Where the execution needs all cores, what hashes beside it holds it up for longer than it takes.
    if (this.needsAllCores) await this.hasher?.untilIdle();
    // Their memory held the state before the last one.
    else await this.untilFree(outputs);
    const began = performance.now();
    const counts = new BigInt64Array(memory.buffer, counters, alone.length).fill(0n);
    let [from, to] = [0, 0];
    const flush = async (): Promise<void> => {
      const [first, end] = [from, to];
      from = to;
      if (end > first) await this.call(first, end);
    };
    for (const [kernel, run] of (isWatched(wanted) ? alone : together).entries()) {
      if ("definition" in run) {
        await flush();
        runDefinition(run.definition, tensors, tensors[run.output]);
      } else {
        if (from === to) from = run.from;
        to = run.to;
      }
      if (!wanted.roots.has(kernel) && !wanted.captured.has(kernel) && !wanted.audit.wants(kernel)) continue;
      await flush();
      const output = this.list.inputs.length + kernel;
      if (wanted.roots.has(kernel)) {
        this.watcher ??= new Hasher(this.library, tensors, threads);
        report.roots.set(kernel, this.watcher.now([this.placed(output)])[0]);
      }
      if (wanted.captured.has(kernel)) report.captured.set(kernel, copyOf(tensors[output]));
      wanted.audit.check(kernel, this.list, tensors);
    }
    await flush();
    this.long = beside || performance.now() - began > LONG;
    for (const kernel of gathers)
      if (counts[kernel] > 0n) report.outOfRange.push({ kernel, count: Number(counts[kernel]) });
    return { ...report, ...wanted.audit.result() };
  }

  /** Runs calls of the table: here if that is short, as it was the last time. */
  private call(from: number, to: number): Promise<void> | void {
    const { memory, table, threads } = this.prepared;
    const values = [memory.address + table, from, to, threads] as const;
    if (this.long && this.library.hasThreads) return this.library.beside("verde_run", ...values);
    this.library.core.verde_run(...values);
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    // What comes next waits until this has begun, and not until it has ended.
    const { roots } = await this.order.run(async () => ({ roots: this.hash(tensors) }));
    return roots;
  }

  private hash(tensors: readonly number[]): Promise<TensorRoot[]> {
    const { tensors: types, threads, beside } = this.prepared;
    this.hasher ??= new Hasher(this.library, types, threads, beside ? 0 : undefined);
    return this.hasher.beside(tensors.map((tensor) => this.placed(tensor)));
  }

  close(): Promise<void> {
    return this.order.run(async () => {
      await this.watcher?.close();
      await this.hasher?.close();
      this.library.give(this.prepared.memory);
    });
  }
}
