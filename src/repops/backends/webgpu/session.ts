/** A kernel list on a GPU: one buffer a tensor, one pipeline a kernel, all kernels of a step in one submission. */
import { elementCount, type Tensor, tensorRoot, type TensorRoot, type TensorType } from "../../../encoding/tensor.ts";
import { BackendError, messageOf } from "../../../errors.ts";
import type { ExecuteHooks, ExecuteReport, Session } from "../../backend.ts";
import { type Kernel, type KernelList, typeOf } from "../../kernel.ts";
import {
  type GpuBuffer,
  type GpuDevice,
  type GpuEncoder,
  type GpuPipeline,
  MAP_READ,
  openDevice,
  Usage,
} from "./device.ts";
import type { Dialect } from "./dialect.ts";
import { gatherShader, loopShader, ROW, WORKGROUP } from "./shader.ts";

/** What one kernel submits; `undefined` for an output without elements. */
interface Dispatch {
  pipeline: GpuPipeline;
  group: unknown;
  elements: number;
  /** Of a gather: the count of indices outside. */
  outside?: GpuBuffer;
}

const bytesOf = (type: TensorType): number => 4 * elementCount(type.shape);

export async function prepareWebGpu(list: KernelList, dialect: Dialect): Promise<Session> {
  const { device } = await openDevice();
  const session = new WebGpuSession(list, device, dialect);
  try {
    await session.compile();
  } catch (error) {
    await session.close();
    throw error;
  }
  return session;
}

class WebGpuSession implements Session {
  private readonly list: KernelList;
  private readonly device: GpuDevice;
  private readonly dialect: Dialect;
  private readonly types: readonly TensorType[];
  private readonly buffers: GpuBuffer[];
  private readonly zero: GpuBuffer;
  private readonly pipelines = new Map<string, Promise<GpuPipeline>>();
  private dispatches: (Dispatch | undefined)[] = [];
  private lost: string | undefined;

  constructor(list: KernelList, device: GpuDevice, dialect: Dialect) {
    this.dialect = dialect;
    this.list = list;
    this.device = device;
    void device.lost.then(({ message }) => (this.lost = message));
    this.types = Array.from({ length: list.inputs.length + list.kernels.length }, (_, i) => typeOf(list, i));
    this.buffers = this.types.map((type) => this.buffer(bytesOf(type)));
    this.zero = this.buffer(4);
  }

  /** Every buffer has at least one word, since bindings can't be empty. */
  private buffer(bytes: number, usage = Usage.storage | Usage.copySource | Usage.copyTarget): GpuBuffer {
    try {
      return this.device.createBuffer({ size: Math.max(bytes, 4), usage });
    } catch (cause) {
      throw new BackendError(`the GPU has no room for a tensor of ${bytes} bytes: ${messageOf(cause)}`);
    }
  }

  async compile(): Promise<void> {
    this.dispatches = await Promise.all(this.list.kernels.map((kernel, i) => this.dispatch(kernel, i)));
  }

  private async dispatch(kernel: Kernel, index: number): Promise<Dispatch | undefined> {
    const elements = elementCount(kernel.type.shape);
    if (elements === 0) return undefined;
    const output = this.list.inputs.length + index;
    const gather = kernel.kind === "gather";
    const { code, tensors } = gather ? gatherShader(this.list, kernel, this.dialect) : loopShader(kernel, this.dialect);
    const pipeline = await this.pipeline(code, index);
    const outside = gather ? this.buffer(4) : undefined;
    const bound = [this.zero, ...tensors.map((tensor) => this.buffers[tensor]), this.buffers[output]];
    if (outside) bound.push(outside);
    const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const group = this.device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries });
    return { pipeline, group, elements, ...(outside && { outside }) };
  }

  private pipeline(code: string, kernel: number): Promise<GpuPipeline> {
    let pipeline = this.pipelines.get(code);
    if (!pipeline) {
      const module = this.device.createShaderModule({ code });
      pipeline = this.device
        .createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } })
        .catch(async (cause: unknown) => {
          const { messages } = await module.getCompilationInfo();
          const [first] = [...messages].filter(({ type }) => type === "error");
          const why = first ? `line ${first.lineNum}: ${first.message}` : messageOf(cause);
          throw new BackendError(`the shader of kernel ${kernel} does not compile on this device: ${why}`, { code });
        });
      this.pipelines.set(code, pipeline);
    }
    return pipeline;
  }

  async write(input: number, { data }: Tensor): Promise<void> {
    if (data.length > 0) this.device.queue.writeBuffer(this.buffers[input], 0, data);
  }

  async read(tensor: number): Promise<Tensor> {
    const { dtype, shape } = this.types[tensor];
    const bytes = await this.download(this.buffers[tensor], bytesOf(this.types[tensor]));
    return { dtype, shape, data: dtype === "f32" ? new Float32Array(bytes) : new Int32Array(bytes) };
  }

  private async download(from: GpuBuffer, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) return new ArrayBuffer(0);
    const target = this.buffer(bytes, Usage.mapRead | Usage.copyTarget);
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(from, 0, target, 0, bytes);
    this.device.queue.submit([encoder.finish()]);
    try {
      await target.mapAsync(MAP_READ);
    } catch (cause) {
      throw new BackendError(`the device was lost: ${this.lost ?? messageOf(cause)}; resume the run`);
    }
    const data = target.getMappedRange().slice(0, bytes);
    target.unmap();
    target.destroy();
    return data;
  }

  async copy(pairs: readonly { from: number; to: number }[]): Promise<void> {
    const encoder = this.device.createCommandEncoder();
    const targets = new Set(pairs.map(({ to }) => to));
    // What is overwritten and still to be read is saved first.
    const saved = new Map<number, GpuBuffer>();
    for (const { from } of pairs)
      if (targets.has(from) && !saved.has(from)) {
        const spare = this.buffer(bytesOf(this.types[from]));
        encoder.copyBufferToBuffer(this.buffers[from], 0, spare, 0, bytesOf(this.types[from]));
        saved.set(from, spare);
      }
    for (const { from, to } of pairs)
      encoder.copyBufferToBuffer(
        saved.get(from) ?? this.buffers[from],
        0,
        this.buffers[to],
        0,
        bytesOf(this.types[to]),
      );
    this.device.queue.submit([encoder.finish()]);
    for (const spare of saved.values()) spare.destroy();
  }

  async execute(hooks: ExecuteHooks = {}): Promise<ExecuteReport> {
    let encoder = this.device.createCommandEncoder();
    for (const [kernel, dispatch] of this.dispatches.entries()) {
      if (dispatch) this.encode(encoder, dispatch);
      if (!hooks.afterKernel || (hooks.at && !hooks.at.has(kernel))) continue;
      this.device.queue.submit([encoder.finish()]);
      await this.show(hooks.afterKernel, kernel);
      encoder = this.device.createCommandEncoder();
    }
    this.device.queue.submit([encoder.finish()]);
    const report: ExecuteReport = { outOfRange: [] };
    for (const [kernel, dispatch] of this.dispatches.entries()) {
      if (!dispatch?.outside) continue;
      const [count] = new Uint32Array(await this.download(dispatch.outside, 4));
      if (count > 0) report.outOfRange.push({ kernel, count });
    }
    return report;
  }

  private encode(encoder: GpuEncoder, { pipeline, group, elements, outside }: Dispatch): void {
    if (outside) encoder.clearBuffer(outside);
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(Math.ceil(Math.min(elements, ROW) / WORKGROUP), Math.ceil(elements / ROW));
    pass.end();
  }

  /** A hook sees a copy; what it changes goes back. */
  private async show(afterKernel: NonNullable<ExecuteHooks["afterKernel"]>, kernel: number): Promise<void> {
    const tensor = this.list.inputs.length + kernel;
    const output = await this.read(tensor);
    const before = new Uint32Array(output.data.buffer).slice();
    afterKernel(kernel, output, () => tensorRoot(output));
    const after = new Uint32Array(output.data.buffer);
    if (after.some((word, i) => word !== before[i])) await this.write(tensor, output);
  }

  async roots(tensors: readonly number[]): Promise<TensorRoot[]> {
    return Promise.all(tensors.map(async (tensor) => tensorRoot(await this.read(tensor))));
  }

  async close(): Promise<void> {
    this.device.destroy();
  }
}
