/**
 * A kernel list on an NVIDIA card: its tensors stay there, and a step is one graph. Calls only tell the
 * device what to do, in their order, and return when it has done so. So a state is copied to the host while
 * the next one is computed, and waits are told to the device as well.
 */
import { byteLength, type Tensor, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { addCount, emptyReport, type Wanted, wantedOf } from "../wanted.ts";
import { Commands } from "./commands.ts";
import type { CudaDevice } from "./device.ts";
import { DIGEST_BYTES, Hasher, type Placed } from "./hasher.ts";
import { copiesInOrder, type Copy, savedBytes } from "./moves.ts";
import { openCuda } from "./open.ts";
import { type Bases, type Mode, Plan } from "./plan.ts";
import { moduleText } from "./ptx.ts";
import { Reads } from "./reads.ts";
import { Results, Trail } from "./results.ts";

/** A plan with its memory and its code on the device. */
interface Prepared {
  readonly plan: Plan;
  readonly bases: Bases;
  readonly commands: Commands;
  /** All commands; absent where something happens between them. */
  readonly graph?: number;
  /** Of the outputs of kernels, made when they are asked for. */
  readonly hashers: Map<number, Hasher>;
}

/** @throws {BackendError} when there is no device, or it has too little memory */
export async function prepareCuda(list: KernelList, keep: readonly number[]): Promise<Session> {
  const session = new CudaSession(await openCuda(), list, keep);
  try {
    session.prepared("fused");
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

class CudaSession implements Session {
  private readonly device: CudaDevice;
  private readonly list: KernelList;
  private readonly keep: readonly number[];
  private readonly types: readonly TensorType[];
  /** Of inputs and kept tensors. */
  private readonly lasting: number;
  private readonly first: Plan;
  private readonly plans = new Map<Mode, Prepared>();
  private readonly hashers = new Map<string, Hasher>();
  /** Memory that belongs to this session. */
  private readonly own: number[] = [];
  /** The copies of tensors that have not ended. */
  private readonly reads: Reads;
  /** Where digests of outputs are computed, one output after the other. */
  private digests: number | undefined;
  /** Where moved tensors are saved. */
  private spare = { address: 0, bytes: 0 };

  constructor(device: CudaDevice, list: KernelList, keep: readonly number[]) {
    const count = list.inputs.length + list.kernels.length;
    this.device = device;
    this.reads = new Reads(device);
    this.list = list;
    this.keep = keep;
    this.types = Array.from({ length: count }, (_, tensor) => typeOf(list, tensor));
    this.first = new Plan(list, keep, "fused");
    const { lastingBytes } = this.first;
    this.lasting = this.take(lastingBytes);
    if (lastingBytes > 0)
      device.run("clear memory", "cuMemsetD32Async", this.lasting, 0, lastingBytes / 4, device.stream);
  }

  private take(bytes: number): number {
    const address = this.device.allocate(bytes);
    this.own.push(address);
    return address;
  }

  prepared(mode: Mode): Prepared {
    let prepared = this.plans.get(mode);
    if (!prepared) this.plans.set(mode, (prepared = this.prepare(mode)));
    return prepared;
  }

  private prepare(mode: Mode): Prepared {
    const { device, list, keep, lasting } = this;
    const plan = mode === "fused" ? this.first : new Plan(list, keep, mode);
    const bases = { lasting, passing: this.take(plan.passingBytes), counters: this.take(4 * plan.counted.length) };
    const codes = plan.entries.length === 0 ? [] : device.compile(moduleText(plan.entries), plan.entries.length);
    const commands = new Commands(
      device,
      plan.launches.map((launch) => ({
        code: codes[plan.entryOf(launch)],
        blocks: launch.blocks,
        threads: launch.entry.threads,
        values: plan.valuesOf(launch, bases),
      })),
    );
    const prepared = { plan, bases, commands, hashers: new Map<number, Hasher>() };
    if (mode === "watched" || commands.count === 0) return prepared;
    const graph = device.capture(() => {
      this.clearCounters(prepared);
      commands.tellAll();
    });
    return { ...prepared, graph };
  }

  private clearCounters({ plan: { counted }, bases }: Prepared): void {
    const { device } = this;
    if (counted.length > 0)
      device.run("clear counters", "cuMemsetD32Async", bases.counters, 0, counted.length, device.stream);
  }

  private placed(tensor: number, { plan, bases }: Prepared = this.prepared("fused")): Placed {
    return { type: this.types[tensor], address: plan.addressOf(tensor, bases) };
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    if (data.length === 0) return;
    this.reads.beforeWriting([input]);
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    await this.device.upload(this.placed(input).address, bytes);
  }

  async read(tensor: number): Promise<Tensor> {
    return this.reads.read(tensor, this.placed(tensor));
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const { device } = this;
    this.reads.beforeWriting(pairs.map(({ to }) => to));
    const copies = pairs.map(({ from, to }): Copy => {
      const [source, target] = [from, to].map((tensor) => this.placed(tensor));
      return { from: source.address, to: target.address, bytes: byteLength(target.type) };
    });
    const bytes = savedBytes(copies);
    if (this.spare.bytes < bytes) this.spare = { address: this.take(bytes), bytes };
    for (const copy of copiesInOrder(copies, this.spare.address))
      device.run("move a tensor", "cuMemcpyDtoDAsync_v2", copy.to, copy.from, copy.bytes, device.stream);
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const { device, list } = this;
    device.check();
    const wanted = wantedOf(options, list);
    const prepared = this.prepared(wanted.roots.size + wanted.captured.size > 0 ? "watched" : "fused");
    const { plan, graph, bases } = prepared;
    this.reads.beforeWriting(this.keep);
    const report = emptyReport();
    const results = new Results(device);
    if (graph !== undefined) device.run("run a step", "cuGraphLaunch", graph, device.stream);
    else this.watch(prepared, wanted, new Trail(report, results));
    if (plan.counted.length > 0)
      results.copy(bases.counters, 4 * plan.counted.length, (buffer) => {
        const counts = new Uint32Array(buffer, 0, plan.counted.length);
        plan.counted.forEach((kernel, i) => addCount(report, list, kernel, counts[i]));
      });
    await this.ended();
    results.take();
    return report;
  }

  /** Runs one kernel after the other, and records what is wanted of each. */
  private watch(prepared: Prepared, { roots, captured }: Wanted, trail: Trail): void {
    const { device, list } = this;
    const { plan, commands, hashers } = prepared;
    this.clearCounters(prepared);
    const commandOf = new Map(plan.launches.map(({ kernels }, i) => [kernels[kernels.length - 1], i]));
    for (const kernel of list.kernels.keys()) {
      const command = commandOf.get(kernel);
      if (command !== undefined) commands.tell(command);
      if (!roots.has(kernel) && !captured.has(kernel)) continue;
      const output = this.placed(list.inputs.length + kernel, prepared);
      if (captured.has(kernel)) trail.output(kernel, output);
      if (!roots.has(kernel)) continue;
      let hasher = hashers.get(kernel);
      if (!hasher)
        hashers.set(kernel, (hasher = new Hasher(device, [output], (this.digests ??= this.take(this.mostDigests())))));
      trail.root(kernel, hasher);
    }
  }

  /** Room for the digests of the largest output. */
  private mostDigests(): number {
    return this.list.kernels.reduce((most, { type }) => Math.max(most, Hasher.digestBytes(type)), 0);
  }

  /** Returns when the device has done all that it was told. */
  private async ended(stream = this.device.stream): Promise<void> {
    const event = this.device.record(stream);
    try {
      await this.device.until(event);
    } finally {
      this.device.forget(event);
    }
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    const { device } = this;
    const key = tensors.join();
    let hasher = this.hashers.get(key);
    if (!hasher)
      this.hashers.set(
        key,
        (hasher = new Hasher(
          device,
          tensors.map((tensor) => this.placed(tensor)),
        )),
      );
    if (hasher.bytes === 0) return hasher.roots(new ArrayBuffer(DIGEST_BYTES));
    hasher.tell();
    const pinned = device.pinned.take(hasher.bytes);
    device.run("copy digests", "cuMemcpyDtoHAsync_v2", pinned.address, hasher.digests, hasher.bytes, device.stream);
    try {
      await this.ended();
      return hasher.roots(pinned.buffer);
    } finally {
      device.pinned.give(pinned);
    }
  }

  async close(): Promise<void> {
    const { device } = this;
    // The driver has freed the memory of a device that was lost.
    if (!device.usable) return;
    await this.ended(device.copies);
    await this.ended();
    const all = [...this.plans.values()];
    for (const { graph } of all) if (graph !== undefined) device.run("free a graph", "cuGraphExecDestroy", graph);
    for (const hasher of [...this.hashers.values(), ...all.flatMap(({ hashers }) => [...hashers.values()])])
      hasher.close();
    for (const address of this.own) device.free(address);
  }
}
