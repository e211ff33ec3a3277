/** A kernel list on a GPU: its tensors stay there, and all kernels of a step are one submission. */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { byteLength, type Tensor, tensorRoot, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import type { ExecuteOptions, ExecuteReport, Session } from "../backend.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import { lastingTensors } from "../../schedule/lifetimes.ts";
import { addCount, emptyReport, type OpenReport, wantedOf } from "../wanted.ts";
import type { GpuBuffer } from "./api.ts";
import { type OpenDevice, openDevice } from "./device.ts";
import { Hasher } from "./hasher.ts";
import {
  BINDING_ALIGNMENT,
  bufferBytes,
  encode,
  type Lowering,
  type Plan,
  planDispatches,
  type Shared,
} from "./plan.ts";

import { TILES } from "./product.ts";
import { Trail } from "./trail.ts";
import { GUARDED } from "./wgsl.ts";

export interface WebGpuOptions extends Lowering {
  /** Where roots are computed: on the device, or on the host from tensors that are read back. */
  hashing: "device" | "host";
}

/** The options that suit a device. No choice changes a bit. */
function defaults(open: OpenDevice): WebGpuOptions {
  // SwiftShader takes minutes to compile a large tile.
  const tiles = open.slowCompiler ? TILES.slice(-1) : TILES;
  // A software device hashes slower than the CPU that it runs on, and reading back costs nothing.
  return { dialect: GUARDED, guard: "bits", tiles, hashing: open.software ? "host" : "device" };
}

export async function prepareWebGpu(
  list: KernelList,
  keep: readonly number[],
  options: Partial<WebGpuOptions> = {},
): Promise<Session> {
  const open = await openDevice();
  const lasting = lastingTensors(list, keep);
  const buffers = await open.buffers(lasting.map((tensor) => bufferBytes(list, tensor)));
  const session = new WebGpuSession(open, { list, keep, buffers }, lasting, { ...defaults(open), ...options });
  try {
    await session.plan("fused");
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

/** `watched`: every kernel's output is in memory when it has run. */
type Mode = "fused" | "watched";

class WebGpuSession implements Session {
  private readonly open: OpenDevice;
  private readonly shared: Shared;
  private readonly options: WebGpuOptions;
  private readonly types: readonly TensorType[];
  /** Of inputs and kept tensors. */
  private readonly buffers: ReadonlyMap<number, GpuBuffer>;
  private readonly plans = new Map<Mode, Plan>();
  private readonly hashers = new Map<string, Hasher>();
  /** For the kernels that were asked for last. */
  private trail: { key: string; of: Trail } | undefined;

  /** @param lasting the tensors of the shared buffers */
  constructor(open: OpenDevice, shared: Shared, lasting: readonly number[], options: WebGpuOptions) {
    this.open = open;
    this.shared = shared;
    this.options = options;
    const { inputs, kernels } = shared.list;
    this.buffers = new Map(lasting.map((tensor, i) => [tensor, shared.buffers[i]]));
    this.types = Array.from({ length: inputs.length + kernels.length }, (_, i) => typeOf(shared.list, i));
  }

  async plan(mode: Mode): Promise<Plan> {
    const known = this.plans.get(mode);
    if (known) return known;
    const plan = await planDispatches(this.open, this.shared, this.options, mode === "watched");
    this.plans.set(mode, plan);
    return plan;
  }

  /** Where an input or a kept tensor lies. */
  private lasting(tensor: number): GpuBuffer {
    return this.buffers.get(tensor)!;
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    this.open.check();
    if (data.length > 0) this.open.device.queue.writeBuffer(this.lasting(input), 0, data);
  }

  async read(tensor: number): Promise<Tensor> {
    return this.download(tensor, this.lasting(tensor));
  }

  private async download(tensor: number, buffer: GpuBuffer): Promise<Tensor> {
    const { dtype, shape } = this.types[tensor];
    const [bytes] = await this.open.download([{ buffer, offset: 0, bytes: byteLength(this.types[tensor]) }]);
    return { dtype, shape, data: elementsIn(dtype, bytes) };
  }

  async move(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const targets = new Set(pairs.map(({ to }) => to));
    // Tensors that are overwritten before they are read are saved first.
    const read = [...new Set(pairs.flatMap(({ from }) => (targets.has(from) ? [from] : [])))];
    const spare = await this.open.buffers(read.map((tensor) => byteLength(this.types[tensor])));
    const encoder = this.open.device.createCommandEncoder();
    const move = (tensor: number, from: GpuBuffer, to: GpuBuffer): void => {
      const bytes = byteLength(this.types[tensor]);
      if (bytes > 0) encoder.copyBufferToBuffer(from, 0, to, 0, bytes);
    };
    read.forEach((tensor, i) => move(tensor, this.lasting(tensor), spare[i]));
    for (const { from, to } of pairs) move(from, spare[read.indexOf(from)] ?? this.lasting(from), this.lasting(to));
    this.open.device.queue.submit([encoder.finish()]);
    for (const buffer of spare) buffer.destroy();
  }

  async execute(options: ExecuteOptions = {}): Promise<ExecuteReport> {
    this.open.check();
    const { list } = this.shared;
    const wanted = wantedOf(options, list);
    const report = emptyReport();
    const plan = await this.plan(wanted.roots.size + wanted.captured.size > 0 ? "watched" : "fused");
    const trail = await this.trailOf(wanted.roots, plan);
    const { device } = this.open;
    let encoder = device.createCommandEncoder();
    encoder.clearBuffer(plan.counters);
    let pass = encoder.beginComputePass();
    const submit = (): void => {
      pass.end();
      device.queue.submit([encoder.finish()]);
    };
    const after = new Map(plan.dispatches.map((dispatch) => [dispatch.kernels[dispatch.kernels.length - 1], dispatch]));
    for (const kernel of list.kernels.keys()) {
      const dispatch = after.get(kernel);
      if (dispatch) encode(pass, dispatch);
      if (trail && wanted.roots.has(kernel)) {
        pass.end();
        trail.record(encoder, kernel);
        pass = encoder.beginComputePass();
      }
      const hashedHere = !trail && wanted.roots.has(kernel);
      if (!wanted.captured.has(kernel) && !hashedHere) continue;
      submit();
      const tensor = list.inputs.length + kernel;
      const output = await this.download(tensor, plan.bufferOf(tensor));
      if (hashedHere) report.roots.set(kernel, tensorRoot(output));
      if (wanted.captured.has(kernel)) report.captured.set(kernel, output);
      encoder = device.createCommandEncoder();
      pass = encoder.beginComputePass();
    }
    submit();
    const roots = trail ? await trail.roots() : report.roots;
    await this.count(report, plan);
    return { ...report, roots };
  }

  /** Where roots are computed on the device: what records those of these kernels' outputs. */
  private async trailOf(kernels: ReadonlySet<number>, plan: Plan): Promise<Trail | undefined> {
    if (kernels.size === 0 || this.options.hashing === "host") return undefined;
    const sorted = [...kernels].sort((a, b) => a - b);
    const key = sorted.join();
    if (this.trail?.key === key) return this.trail.of;
    this.trail?.of.close();
    this.trail = undefined;
    const outputs = sorted.map((kernel) => {
      const tensor = this.shared.list.inputs.length + kernel;
      return { kernel, type: this.types[tensor], buffer: plan.bufferOf(tensor) };
    });
    this.trail = { key, of: await Trail.prepare(this.open, outputs) };
    return this.trail.of;
  }

  private async count(report: OpenReport, { counters, counted, dispatches }: Plan): Promise<void> {
    if (counted.length === 0) return;
    const bytes = BINDING_ALIGNMENT * dispatches.length;
    const [counts] = await this.open.download([{ buffer: counters, offset: 0, bytes }]);
    const words = new Uint32Array(counts);
    for (const { kernel, word } of counted) addCount(report, this.shared.list, kernel, words[word]);
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    if (this.options.hashing === "host")
      return Promise.all(tensors.map(async (tensor) => tensorRoot(await this.read(tensor))));
    const key = tensors.join();
    let hasher = this.hashers.get(key);
    if (!hasher) {
      const types = tensors.map((tensor) => this.types[tensor]);
      const buffers = tensors.map((tensor) => this.lasting(tensor));
      hasher = await Hasher.prepare(this.open, types, buffers);
      this.hashers.set(key, hasher);
    }
    return hasher.hash();
  }

  async close(): Promise<void> {
    for (const hasher of this.hashers.values()) hasher.close();
    this.trail?.of.close();
    for (const { own } of this.plans.values()) for (const buffer of own) buffer.destroy();
    for (const buffer of this.shared.buffers) buffer.destroy();
  }
}
