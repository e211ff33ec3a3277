/**
 * A kernel list on gpu.js. The contents of a tensor are an immutable value on the device, on the host, or on
 * both, so copying a state only passes values on. The WASM backend, as the fallback backend, runs the kernels
 * that gpu.js does not list.
 */
import { zeroElements } from "../../../encoding/dtypes.ts";
import { elementCount, type Tensor, tensorRoot, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type GatherKernel, type KernelList, operandsOf, typeOf } from "../../kernels/kernel.ts";
import { endings } from "../../schedule/lifetimes.ts";
import { schedule } from "../../schedule/schedule.ts";
import { wasm } from "../wasm/backend.ts";
import { runDefinition } from "../definition.ts";
import { addCount, emptyReport, isCounted, type OpenReport, type Wanted, wantedOf } from "../wanted.ts";
import type { GpuJsDevice, Handle } from "./device.ts";
import { notedBits } from "./notes.ts";
import { type Island, kernelsOf, type Note, type Part, planList } from "./plan.ts";
import { isInt } from "./source.ts";
import { MAX_INT } from "./statements.ts";

interface Value {
  host?: Tensor["data"];
  device?: Handle;
  /** Made by a kernel on the fallback backend. The transfer to the device counts as that kernel's time. */
  fallback?: boolean;
  /** The number of tensors that hold it. */
  holders: number;
}

/** What a kernel's notes are made of, when all kernels have run. */
type Told = { kernel: number; note: Note; counts: Handle } | { kernel: number; bits: number };

type Ready = Exclude<Part, { kind: "fallback" }> | { kind: "fallback"; island: Island; session: Session };

export async function prepareGpuJs(device: GpuJsDevice, list: KernelList, keep: readonly number[]): Promise<Session> {
  const session = new GpuJsSession(device, list, keep);
  await session.plan();
  return session;
}

class GpuJsSession implements Session {
  private readonly device: GpuJsDevice;
  private readonly list: KernelList;
  private readonly values: (Value | undefined)[];
  /** By kernel: the tensors that no later kernel reads. */
  private readonly endings: readonly (readonly number[])[];
  private readonly wide = new Set<number>();
  private parts: Ready[] = [];
  private fallbackTime = 0;

  constructor(device: GpuJsDevice, list: KernelList, keep: readonly number[]) {
    this.device = device;
    this.list = list;
    this.endings = endings(schedule(list, keep).lifetimes, list.kernels.length);
    this.values = list.inputs.map(({ dtype, shape }) => zeros(dtype, elementCount(shape)));
  }

  async plan(): Promise<void> {
    const old = this.parts;
    this.parts = [];
    for (const part of old) if (part.kind === "fallback") await part.session.close();
    const parts = planList(this.list, this.wide);
    for (const part of parts) {
      if (part.kind === "device") this.parts.push(part);
      else {
        const { list, inputs } = part.island;
        const outputs = list.kernels.map((_, i) => inputs.length + i);
        this.parts.push({ ...part, session: await wasm.prepare(list, { keep: outputs }) });
      }
    }
  }

  private type(tensor: number): TensorType {
    return typeOf(this.list, tensor);
  }

  private put(tensor: number, value: Value | undefined): void {
    if (value) value.holders++;
    const old = this.values[tensor];
    this.values[tensor] = value;
    if (old && --old.holders === 0 && old.device) this.device.free(old.device);
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    await this.set(input, { host: data.slice(), holders: 0 });
  }

  /** Ints that floats do not hold change the plan, once for each input. */
  private async set(input: number, value: Value): Promise<void> {
    this.put(input, value);
    const isWide = value.host instanceof Int32Array && value.host.some((x) => x > MAX_INT || x < -MAX_INT);
    if (!isWide || this.wide.has(input)) return;
    this.wide.add(input);
    await this.plan();
  }

  async read(tensor: number): Promise<Tensor> {
    const data = await this.onHost(tensor);
    return { ...this.type(tensor), data: data.slice() };
  }

  private async onHost(tensor: number): Promise<Tensor["data"]> {
    const value = this.values[tensor]!;
    if (!value.host) {
      const data = await this.device.download(value.device!);
      value.host = isInt(this.type(tensor)) ? Int32Array.from(data) : data;
    }
    return value.host;
  }

  private async onDevice(tensor: number): Promise<Handle> {
    const value = this.values[tensor]!;
    if (!value.device) {
      const began = performance.now();
      const { host } = value;
      value.device = await this.device.upload(host instanceof Float32Array ? host : Float32Array.from(host!));
      if (value.fallback) this.fallbackTime += performance.now() - began;
    }
    return value.device;
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const moved = pairs.map(({ from, to }) => ({ to, value: this.values[from]! }));
    // Hold the value meanwhile, because it may be overwritten before it is passed on.
    for (const { value } of moved) value.holders++;
    for (const { to, value } of moved) await this.set(to, value);
    for (const { value } of moved) value.holders--;
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    const wanted = wantedOf(options, this.list);
    this.fallbackTime = 0;
    const report = emptyReport();
    const told: Told[] = [];
    for (const part of this.parts) {
      if (part.kind === "fallback") await this.runFallback(part.island, part.session, wanted, report);
      else {
        const { kernel, source } = part;
        if (source.elements === 0) this.put(this.list.inputs.length + kernel, empty(this.list.kernels[kernel].type));
        else {
          const handles: Handle[] = [];
          for (const tensor of source.tensors) handles.push(await this.onDevice(tensor));
          const device = await this.device.run(source, handles);
          this.put(this.list.inputs.length + kernel, { device, holders: 0 });
          told.push(...(await this.note(part)));
        }
        const { kernels } = this.list;
        if (kernels[kernel].kind === "gather") await this.countOutside(kernel, kernels[kernel], report);
        if (wanted.roots.has(kernel)) report.roots.set(kernel, await this.rootOf(this.list.inputs.length + kernel));
        if (wanted.captured.has(kernel)) report.captured.set(kernel, await this.read(this.list.inputs.length + kernel));
      }
      for (const kernel of kernelsOf(part)) for (const tensor of this.endings[kernel]) this.put(tensor, undefined);
    }
    const kernels = this.parts.flatMap((part) => (part.kind === "fallback" ? kernelsOf(part) : []));
    if (kernels.length > 0) report.fallback = { backend: wasm.name, kernels, seconds: this.fallbackTime / 1000 };
    await this.addNotes(told, report);
    return report;
  }

  /** Begins to count what the steps of a kernel note, or counts it on the host. */
  private async note({ kernel, notes }: Ready & { kind: "device" }): Promise<Told[]> {
    const own = this.list.kernels[kernel];
    if (!isCounted(own) || own.kind === "gather") return [];
    if (!notes) {
      const tensors: Tensor[] = [];
      for (const tensor of operandsOf(own)) tensors[tensor] = await this.read(tensor);
      const out = { ...own.type, data: zeroElements(own.type.dtype, elementCount(own.type.shape)) };
      return [{ kernel, bits: runDefinition(own, tensors, out) }];
    }
    const told: Told[] = [];
    for (const note of notes) {
      const handles: Handle[] = [];
      for (const tensor of note.source.tensors) handles.push(await this.onDevice(tensor));
      told.push({ kernel, note, counts: await this.device.run(note.source, handles) });
    }
    return told;
  }

  private async addNotes(told: readonly Told[], report: OpenReport): Promise<void> {
    const bits = new Map<number, number>();
    for (const one of told) {
      const known = bits.get(one.kernel) ?? 0;
      if ("bits" in one) bits.set(one.kernel, known | one.bits);
      else {
        bits.set(one.kernel, known | notedBits(await this.device.download(one.counts), one.note.bits));
        this.device.free(one.counts);
      }
    }
    for (const [kernel, own] of bits) addCount(report, this.list, kernel, own);
    report.noted.sort((a, b) => a.kernel - b.kernel);
  }

  private async runFallback(island: Island, session: Session, wanted: Wanted, report: OpenReport): Promise<void> {
    const { first, inputs, list } = island;
    const began = performance.now();
    for (const [i, tensor] of inputs.entries())
      await session.write(i, { ...this.type(tensor), data: await this.onHost(tensor) });
    const own = (kernels: ReadonlySet<number>): number[] =>
      [...list.kernels.keys()].filter((i) => kernels.has(first + i));
    const ran = await session.execute({ rootsOf: own(wanted.roots), capture: own(wanted.captured) });
    for (const { kernel, count } of ran.outOfRange) report.outOfRange.push({ kernel: first + kernel, count });
    for (const note of ran.noted ?? []) report.noted.push({ ...note, kernel: first + note.kernel });
    for (const [kernel, root] of ran.roots) report.roots.set(first + kernel, root);
    for (const [kernel, tensor] of ran.captured) report.captured.set(first + kernel, tensor);
    for (const i of list.kernels.keys()) {
      const { data } = await session.read(inputs.length + i);
      this.put(this.list.inputs.length + first + i, { host: data, fallback: true, holders: 0 });
    }
    this.fallbackTime += performance.now() - began;
  }

  /** The device reads the fill value; the host counts how often. */
  private async countOutside(kernel: number, { source, index }: GatherKernel, report: OpenReport): Promise<void> {
    const [rows] = this.type(source).shape;
    if (this.list.kernels[kernel].type.shape.includes(0)) return;
    let count = 0;
    for (const at of await this.onHost(index)) if (at < 0 || at >= rows) count++;
    if (count > 0) report.outOfRange.push({ kernel, count });
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    const roots: TensorRoot[] = [];
    for (const tensor of tensors) roots.push(await this.rootOf(tensor));
    return roots;
  }

  private async rootOf(tensor: number): Promise<TensorRoot> {
    return tensorRoot({ ...this.type(tensor), data: await this.onHost(tensor) });
  }

  async close(): Promise<void> {
    for (const tensor of this.values.keys()) this.put(tensor, undefined);
    for (const part of this.parts) if (part.kind === "fallback") await part.session.close();
    this.parts = [];
  }
}

function zeros(dtype: TensorType["dtype"], length: number): Value {
  return { host: zeroElements(dtype, length), holders: 1 };
}

const empty = ({ dtype }: TensorType): Value => ({ ...zeros(dtype, 0), holders: 0 });
