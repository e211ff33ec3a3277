/** A kernel list that is ready to run in native code, with its memory. */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { os } from "../../../encoding/node.ts";
import { byteLength, elementCount, type Tensor, type TensorRoot } from "../../../encoding/tensor.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import type { KernelList } from "../../kernels/kernel.ts";
import { runDefinition } from "../definition.ts";
import { copyOf, copyTensors } from "../host.ts";
import { Order } from "../in-order.ts";
import { addCount, countedKernels, emptyReport, isWatched, wantedOf } from "../wanted.ts";
import { Hasher, type Placed } from "./hasher.ts";
import { type Library, type Memory, SLACK } from "./library.ts";
import type { Parameters } from "./parameters.ts";
import type { Places } from "./plan.ts";
import type { Run } from "./table.ts";

/** An execution that takes longer is left to another thread, so that this one can do other things. In ms. */
const LONG = 5;
/** The address of a tensor that has no memory yet. */
export const NOWHERE = 0;

/** A list that is ready to run. */
export interface Prepared {
  memory: Memory;
  /** By number. Tensors that are moved change their places. */
  tensors: Tensor[];
  /** Where the tensors are, by number; `NOWHERE` for an input that was not lent yet. */
  addresses: number[];
  /** The outputs of kernels that are kept. */
  outputs: readonly number[];
  /** What runs for each kernel, and for each group. */
  alone: readonly Run[];
  together: readonly Run[];
  /** Offsets in memory: the table of calls, the kernels' counters, the parameters of the calls. */
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
  private readonly counted: readonly number[];
  private readonly needsAllCores: boolean;
  private long: boolean;
  /** Inputs that have no memory of the session's own: they are lent, or will be. */
  private readonly borrowed: Set<number>;
  /** Memory for inputs that were to be lent, and were written. */
  private readonly taken: Memory[] = [];

  constructor(library: Library, list: KernelList, prepared: Prepared) {
    this.library = library;
    this.list = list;
    this.prepared = prepared;
    this.counted = countedKernels(list);
    this.needsAllCores = prepared.threads >= os.availableParallelism();
    this.long = prepared.beside;
    this.borrowed = new Set([...list.inputs.keys()].filter((input) => prepared.addresses[input] === NOWHERE));
    this.place();
  }

  /** Writes the parameters of all calls for the places where tensors are now. */
  private place(): void {
    const { memory, addresses, outputs, parameters, words, places } = this.prepared;
    const lasting = [...this.list.inputs.keys(), ...outputs];
    const key = lasting.map((tensor) => addresses[tensor]).join();
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
    const isFree = !this.borrowed.has(input) && !this.hasher?.isReading([places.tensor(input)]);
    if (this.order.isIdle && isFree) return tensors[input].data.set(data);
    // The caller may change its tensor when this has returned.
    const taken = data.slice();
    return this.order.run(async () => {
      await this.untilFree([input]);
      this.own(input);
      tensors[input].data.set(taken);
    });
  }

  lend(input: number, tensor: Tensor): Promise<void> {
    const address = this.library.lendable(tensor.data);
    if (address === undefined) return this.write(input, tensor);
    return this.order.run(async () => {
      await this.untilFree([input]);
      this.put(input, tensor, address);
      this.borrowed.add(input);
      this.place();
    });
  }

  private put(input: number, { data }: Pick<Tensor, "data">, address: number): void {
    const { tensors, addresses } = this.prepared;
    const { dtype, shape } = tensors[input];
    tensors[input] = { dtype, shape, data };
    addresses[input] = address;
  }

  /** Gives an input memory of the session's own, which holds what it held before, or zeros. */
  private own(input: number): void {
    if (!this.borrowed.delete(input)) return;
    const { dtype, shape, data } = this.prepared.tensors[input];
    const memory = this.library.take(byteLength({ dtype, shape }) + SLACK);
    this.taken.push(memory);
    const own = elementsIn(dtype, memory.buffer, 0, elementCount(shape));
    own.set(data);
    this.put(input, { data: own }, memory.address);
    this.place();
  }

  /** Inputs that were to be lent, and were not, are zeros. */
  private fill(): void {
    for (const input of this.borrowed) if (this.prepared.addresses[input] === NOWHERE) this.own(input);
  }

  read(tensor: number): Promise<Tensor> {
    return this.order.run(async () => {
      this.fill();
      return copyOf(this.prepared.tensors[tensor]);
    });
  }

  /** An output and the input that takes its contents exchange their places; both are there for good. */
  move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    return this.order.run(async () => {
      const { tensors, addresses } = this.prepared;
      this.fill();
      // What is borrowed is never written.
      const written = pairs.map(({ to }) => to).filter((to) => this.borrowed.has(to));
      await this.untilFree(written);
      for (const input of written) this.own(input);
      const exchanged = new Map<number, number>();
      for (const { from, to } of pairs) if (from >= this.list.inputs.length) exchanged.set(from, to);
      const copied = pairs.filter(({ from, to }) => exchanged.get(from) !== to);
      await this.untilFree(copied.map(({ to }) => to));
      copyTensors(tensors, copied);
      for (const [from, to] of exchanged) {
        [tensors[from], tensors[to]] = [tensors[to], tensors[from]];
        [addresses[from], addresses[to]] = [addresses[to], addresses[from]];
      }
      this.place();
    });
  }

  execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    return this.order.run(() => this.executeNow(options));
  }

  private async executeNow(options: ExecuteOptions): Promise<ExecuteReport> {
    const { alone, together, tensors, outputs, memory, counters, threads, beside } = this.prepared;
    this.fill();
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
        const { definition, output } = run;
        counts[output - this.list.inputs.length] |= BigInt(runDefinition(definition, tensors, tensors[output]));
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
    for (const input of this.borrowed) this.library.expectUnchanged(tensors[input].data.buffer);
    this.long = beside || performance.now() - began > LONG;
    for (const kernel of this.counted) addCount(report, this.list, kernel, Number(counts[kernel]));
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
    const { roots } = await this.order.run(async () => {
      this.fill();
      return { roots: this.hash(tensors) };
    });
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
      for (const memory of [this.prepared.memory, ...this.taken]) this.library.give(memory);
    });
  }
}
