/** The GPU of this process: the browser's, or that of the optional package `webgpu` (Dawn) in Node. */
import { BackendError, messageOf } from "../../../errors/index.ts";
import type { Gpu, GpuAdapter, GpuBuffer, GpuDevice, GpuPipeline } from "./api.ts";
import { isNode } from "../../../encoding/node.ts";
import { importPackage } from "../package.ts";
import { MAP_READ, Usage } from "./api.ts";

/** Dawn stops when the object that made it is collected. */
let instance: Gpu | undefined;

/** @throws {BackendError} when there is no WebGPU here */
export async function findGpu(): Promise<Gpu> {
  const browser = (globalThis as { navigator?: { gpu?: Gpu } }).navigator?.gpu;
  if (browser) return browser;
  if (instance) return instance;
  if (!isNode) throw new BackendError("DEVICE_MISSING", "this browser has no WebGPU, or not for this page");
  const dawn = await importPackage("webgpu", "webgpu@0.6.2", "WebGPU in Node");
  try {
    return (instance = (dawn as { create(flags: string[]): Gpu }).create([]));
  } catch (cause) {
    throw new BackendError(
      "DEVICE_REFUSED",
      `the package webgpu gives no GPU (${messageOf(cause)}); install webgpu@0.6.2, or use --backend wasm`,
    );
  }
}

/** Limits that are requested as high as the adapter allows. */
const WANTED = ["maxStorageBuffersPerShaderStage", "maxStorageBufferBindingSize", "maxBufferSize"] as const;

/** The first line of a message: Dawn puts the place in its own source after it. */
const firstLine = (message: string): string => message.split("\n", 1)[0];

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** A device in use, the code that was compiled for it, and its failure, if any. Sessions share it. */
export class OpenDevice {
  readonly adapter: GpuAdapter;
  readonly device: GpuDevice;
  /** The largest number of storage buffers for one shader. */
  readonly maxBuffers: number;
  private readonly pipelines = new Map<string, Promise<GpuPipeline>>();
  /** The reason why the device can't be used any more. */
  private failure: string | undefined;

  constructor(adapter: GpuAdapter, device: GpuDevice) {
    this.adapter = adapter;
    this.device = device;
    this.maxBuffers = device.limits.maxStorageBuffersPerShaderStage;
    void device.lost.then(({ reason, message }) => {
      this.failure ??= `the device was lost (${[reason, message].filter((part) => part).join(": ")})`;
    });
    device.addEventListener("uncapturederror", ({ error }) => {
      this.failure ??= `the device reports an error: ${error.message}`;
    });
  }

  get name(): string {
    const { vendor, architecture, description } = this.adapter.info;
    return [description, vendor, architecture].filter((part) => part !== "").join(", ");
  }

  /** Whether it is a program on the CPU that does the work of a GPU. */
  get software(): boolean {
    const { isFallbackAdapter, description, architecture } = this.adapter.info;
    return isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe/i.test(`${description} ${architecture}`);
  }

  get slowCompiler(): boolean {
    const { description, architecture } = this.adapter.info;
    return /swiftshader/i.test(`${description} ${architecture}`);
  }

  get usable(): boolean {
    return this.failure === undefined;
  }

  /**
   * @throws {BackendError} when the device was lost or has reported an error: its results since then can't be
   * used
   */
  check(): void {
    if (this.failure !== undefined)
      throw new BackendError(
        "DEVICE_LOST",
        `${this.failure}; what was recorded is intact, and a run continues with --resume`,
        {
          device: this.name,
        },
      );
  }

  /**
   * Buffers of these sizes, each of at least one word, because bindings can't be empty.
   * @throws {BackendError} when the device has too little memory; the message says how much was requested
   */
  async buffers(sizes: readonly number[], usage: number = Usage.storage | Usage.copySource | Usage.copyTarget) {
    this.check();
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    const largest = Math.max(0, ...sizes);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (largest > most)
      throw new BackendError(
        "MEMORY",
        `a tensor of ${megabytes(largest)} does not fit on ${this.name}, which takes up to ${megabytes(most)} in one piece; take a smaller batch or model`,
        { expected: `at most ${most}`, found: largest },
      );
    this.device.pushErrorScope("out-of-memory");
    const made = sizes.map((size) => this.device.createBuffer({ size: Math.max(size, 4), usage }));
    const error = await this.answered(this.device.popErrorScope());
    if (error) {
      for (const buffer of made) buffer.destroy();
      throw new BackendError(
        "MEMORY",
        `${this.name} has no room for ${megabytes(total)} in ${sizes.length} tensors (${firstLine(error.message)}); take a smaller batch or model, or stop other programs on it`,
        { total },
      );
    }
    return made;
  }

  /** @throws {BackendError} with `what` and the compiler's first message */
  pipeline(code: string, what: string): Promise<GpuPipeline> {
    let pipeline = this.pipelines.get(code);
    if (!pipeline) {
      pipeline = this.compile(code, what);
      this.pipelines.set(code, pipeline);
    }
    return pipeline;
  }

  private async compile(code: string, what: string): Promise<GpuPipeline> {
    this.check();
    this.device.pushErrorScope("validation");
    const module = this.device.createShaderModule({ code });
    const rejected = this.device.popErrorScope();
    try {
      return await this.device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
    } catch (cause) {
      const { messages } = await this.answered(module.getCompilationInfo());
      this.check();
      const [first] = [...messages].filter(({ type }) => type === "error");
      const why = first ? `line ${first.lineNum}: ${first.message}` : messageOf(cause);
      throw new BackendError(
        "COMPILE",
        `the shader of ${what} does not compile on ${this.name}: ${why}; update its driver, or use the wasm backend`,
        { code },
      );
    } finally {
      await this.answered(rejected);
    }
  }

  /**
   * What a device says of itself it always can say, until it is lost: it may tell of that here before it does
   * so by `lost`.
   * @throws {BackendError} when it was lost
   */
  private async answered<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise;
    } catch (cause) {
      this.failure ??= `the device was lost (${messageOf(cause)})`;
      this.check();
      throw cause;
    }
  }

  /** Reads stretches of buffers in one round trip. */
  async download(parts: readonly { buffer: GpuBuffer; offset: number; bytes: number }[]): Promise<ArrayBuffer[]> {
    const places: number[] = [];
    const total = parts.reduce((at, { bytes }) => (places.push(at), at + bytes), 0);
    if (total === 0) return parts.map(() => new ArrayBuffer(0));
    const [target] = await this.buffers([total], Usage.mapRead | Usage.copyTarget);
    const encoder = this.device.createCommandEncoder();
    parts.forEach(({ buffer, offset, bytes }, i) => {
      if (bytes > 0) encoder.copyBufferToBuffer(buffer, offset, target, places[i], bytes);
    });
    this.device.queue.submit([encoder.finish()]);
    await this.answered(target.mapAsync(MAP_READ));
    this.check();
    const mapped = target.getMappedRange();
    const copies = parts.map(({ bytes }, i) => mapped.slice(places[i], places[i] + bytes));
    target.unmap();
    target.destroy();
    return copies;
  }
}

let current: OpenDevice | undefined;

/**
 * The device that all sessions of this process share; another one when it was lost.
 * @throws {BackendError} when there is no WebGPU, no adapter, or no device
 */
export async function openDevice(): Promise<OpenDevice> {
  if (current?.usable) return current;
  const adapter = await (await findGpu()).requestAdapter();
  if (!adapter)
    throw new BackendError("DEVICE_MISSING", "WebGPU finds no adapter on this machine; install a driver, or use wasm");
  const requiredLimits = Object.fromEntries(WANTED.map((name) => [name, adapter.limits[name]]));
  try {
    return (current = new OpenDevice(adapter, await adapter.requestDevice({ requiredLimits })));
  } catch (cause) {
    throw new BackendError(
      "DEVICE_REFUSED",
      `the adapter ${adapter.info.description} gives no device: ${messageOf(cause)}; stop other programs that use it, or use the wasm backend`,
    );
  }
}
