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

export interface GpuPass {
  setPipeline(pipeline: GpuPipeline): void;
  setBindGroup(index: number, group: unknown): void;
  dispatchWorkgroups(x: number, y?: number, z?: number): void;
  end(): void;
}

export interface GpuEncoder {
  beginComputePass(): GpuPass;
  copyBufferToBuffer(from: GpuBuffer, fromOffset: number, to: GpuBuffer, toOffset: number, bytes: number): void;
  clearBuffer(buffer: GpuBuffer): void;
  finish(): unknown;
}

interface GpuError {
  message: string;
}

export interface GpuDevice {
  limits: Readonly<Record<string, number>>;
  createBuffer(options: { size: number; usage: number }): GpuBuffer;
  createShaderModule(options: { code: string }): GpuShaderModule;
  createComputePipelineAsync(options: object): Promise<GpuPipeline>;
  createBindGroup(options: object): unknown;
  createCommandEncoder(): GpuEncoder;
  pushErrorScope(filter: "out-of-memory" | "validation"): void;
  popErrorScope(): Promise<GpuError | null>;
  addEventListener(type: "uncapturederror", listener: (event: { error: GpuError }) => void): void;
  queue: {
    writeBuffer(buffer: GpuBuffer, offset: number, data: ArrayBufferView): void;
    submit(commands: unknown[]): void;
    onSubmittedWorkDone(): Promise<void>;
  };
  lost: Promise<{ reason: string; message: string }>;
  destroy(): void;
}

export interface GpuAdapter {
  info: { vendor: string; architecture: string; device: string; description: string; isFallbackAdapter?: boolean };
  limits: Readonly<Record<string, number>>;
  requestDevice(options: object): Promise<GpuDevice>;
}

export interface Gpu {
  requestAdapter(options?: object): Promise<GpuAdapter | null>;
}

/** Usage flags and the mapping mode (WebGPU, 5.1 and 5.2). */
export const Usage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 } as const;
export const MAP_READ = 1;
