/** The GPU of this process: the browser's, or that of the optional package `webgpu` (Dawn) in Node. */
import { BackendError, messageOf } from "../../../errors.ts";

/** The part of WebGPU that is used here; the full types are not among the project's dependencies. */
export interface GpuBuffer {
  mapAsync(mode: number): Promise<void>;
  getMappedRange(): ArrayBuffer;
  unmap(): void;
  destroy(): void;
}
interface GpuShaderModule {
  getCompilationInfo(): Promise<{ messages: Iterable<{ type: string; lineNum: number; message: string }> }>;
}
export interface GpuPipeline {
  getBindGroupLayout(index: number): unknown;
}
interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: unknown): void;
  dispatchWorkgroups(x: number, y?: number): void;
  end(): void;
}
export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, bytes: number): void;
  clearBuffer(buffer: GpuBuffer): void;
  finish(): unknown;
}
export interface GpuDevice {
  createBuffer(options: { size: number; usage: number }): GpuBuffer;
  createShaderModule(options: { code: string }): GpuShaderModule;
  createComputePipelineAsync(options: object): Promise<GpuPipeline>;
  createBindGroup(options: object): unknown;
  createCommandEncoder(): GpuEncoder;
  queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView): void;
    submit(commands: unknown[]): void;
  };
  lost: Promise<{ message: string }>;
  destroy(): void;
}
export interface GpuAdapter {
  info: { vendor: string; architecture: string; description: string };
  limits: Record<string, number>;
  requestDevice(options: object): Promise<GpuDevice>;
}
interface Gpu {
  requestAdapter(options?: object): Promise<GpuAdapter | null>;
}

/** Usage flags and the mapping mode (WebGPU, 5.1 and 5.2). */
export const Usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const;
export const MAP_READ = 1;

/** Dawn stops when the object that made it is collected. */
let instance: Gpu | undefined;

async function findGpu(): Promise<Gpu> {
  const browser = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  if (browser) return browser;
  if (instance) return instance;
  try {
    const name = "webgpu";
    const dawn = (await import(name)) as { create(flags: string[]): Gpu };
    return (instance = dawn.create([]));
  } catch (cause) {
    throw new BackendError(
      `WebGPU needs a browser that has it, or the package webgpu: \`npm install --no-save webgpu@0.6.2\` (${messageOf(cause)})`,
    );
  }
}

const NEEDED = ["maxStorageBuffersPerShaderStage", "maxStorageBufferBindingSize", "maxBufferSize"];

/** @throws {BackendError} when there is no WebGPU, no adapter, or no device */
export async function openDevice(): Promise<{ adapter: GpuAdapter; device: GpuDevice }> {
  const adapter = await (await findGpu()).requestAdapter();
  if (!adapter) throw new BackendError("WebGPU finds no adapter on this machine; install a driver, or use wasm");
  const requiredLimits = Object.fromEntries(NEEDED.map((name) => [name, adapter.limits[name]]));
  try {
    return { adapter, device: await adapter.requestDevice({ requiredLimits }) };
  } catch (cause) {
    throw new BackendError(`the adapter ${adapter.info.description} gives no device: ${messageOf(cause)}`);
  }
}
