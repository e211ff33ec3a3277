/** A backend of the emitted kernels on the interpreter, without a driver: what the text computes. */
import { elementsIn } from "../../src/encoding/dtypes.ts";
import { byteLength, type Tensor, tensorRoot, type TensorType } from "../../src/encoding/tensor.ts";
import type { Backend, ExecuteOptions, ExecuteReport, Session } from "../../src/repops/backends/backend.ts";
import { checkedSession } from "../../src/repops/backends/checked.ts";
import { type Bases, type Mode, Plan } from "../../src/repops/backends/cuda/plan.ts";
import { moduleText } from "../../src/repops/backends/cuda/ptx.ts";
import type { Tile } from "../../src/repops/backends/cuda/tile.ts";
import { addCount, emptyReport, wantedOf } from "../../src/repops/backends/wanted.ts";
import { type KernelList, typeOf } from "../../src/repops/kernels/kernel.ts";
import { type Kernel, loadModule } from "./interpreter.ts";
import { DeviceMemory } from "./memory.ts";

/** Between allocations. */
const GAP = 256;

export interface InterpretedOptions {
  name?: string;
  mode?: Mode;
  tiles?: readonly Tile[];
  /** Changes the text before it is executed. */
  change?: (text: string) => string;
}

class Interpreted implements Session {
  private readonly list: KernelList;
  private readonly plan: Plan;
  private readonly bases: Bases;
  private readonly memory: DeviceMemory;
  private readonly kernels: Map<string, Kernel>;

  constructor(list: KernelList, keep: readonly number[], options: InterpretedOptions) {
    this.list = list;
    this.plan = new Plan(list, keep, options.mode ?? "fused", options.tiles);
    const { lastingBytes, passingBytes, counted, entries } = this.plan;
    const sizes = [lastingBytes, passingBytes, 4 * counted.length];
    this.memory = DeviceMemory.ofSize(sizes.reduce((sum, size) => sum + Math.ceil(size / GAP) * GAP + GAP, 0));
    let next = this.memory.base;
    const [lasting, passing, counters] = sizes.map((size) => {
      const address = next;
      this.memory.mark(address, size, true);
      next += Math.ceil(size / GAP) * GAP + GAP;
      return address;
    });
    this.bases = { lasting, passing, counters };
    const text = moduleText(entries);
    this.kernels = loadModule(options.change ? options.change(text) : text);
    for (const input of list.inputs.keys()) this.bytes(input).fill(0);
  }

  private bytes(tensor: number): Uint8Array {
    const at = this.plan.addressOf(tensor, this.bases) - this.memory.base;
    return new Uint8Array(this.memory.words.buffer, at, byteLength(typeOf(this.list, tensor)));
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    this.bytes(input).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  async read(tensor: number): Promise<Tensor> {
    const { dtype, shape }: TensorType = typeOf(this.list, tensor);
    return { dtype, shape, data: elementsIn(dtype, this.bytes(tensor).slice().buffer) };
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const taken = pairs.map(({ from }) => this.bytes(from).slice());
    pairs.forEach(({ to }, i) => this.bytes(to).set(taken[i]));
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    wantedOf(options, this.list);
    const { plan, bases, memory } = this;
    const at = (bases.counters - memory.base) / 4;
    memory.words.fill(0, at, at + plan.counted.length);
    for (const launch of plan.launches)
      this.kernels
        .get(`k${plan.entryOf(launch)}`)!
        .launch(launch.blocks, launch.entry.threads, plan.valuesOf(launch, bases), memory);
    const report = emptyReport();
    plan.counted.forEach((kernel, i) => addCount(report, this.list, kernel, memory.words[at + i]));
    return report;
  }

  async roots(tensors: readonly number[]) {
    return Promise.all(tensors.map(async (tensor) => tensorRoot(await this.read(tensor))));
  }

  async close(): Promise<void> {}
}

export const interpreted = (options: InterpretedOptions = {}): Backend => ({
  name: options.name ?? "interpreted",
  prepare: (list, prepared) => checkedSession(list, prepared, async (keep) => new Interpreted(list, keep, options)),
});
