/**
 * gpu.js and its devices: one device for each mode in the whole process, because a kernel takes long to
 * compile. The package silently falls back to slower modes, so the mode of every kernel is checked after it
 * is built.
 */
import { BackendError, messageOf } from "../../../errors/index.ts";
import { importPackage } from "../package.ts";
import { findGpu } from "../webgpu/device.ts";
import { LIBRARY } from "./library.ts";
import type { Source } from "./source.ts";

/** The modes on a GPU, in the order in which `gpujs` tries them. */
const GPU_MODES = ["webgpu", "webgl2", "headlessgl"] as const;
export type Mode = (typeof GPU_MODES)[number] | "webasm" | "cpu";

/** A tensor where a mode keeps it: a texture, a buffer, or an array. */
export type Handle = Float32Array | { toArray(): unknown; delete(): void };

/** The part of gpu.js's interface that is used here. */
interface Shortcut {
  (...args: unknown[]): unknown;
  kernel: { constructor: unknown; fallbackReason?: unknown };
}
interface Gpu {
  /**
   * The class of kernels of the requested mode. The mode alone does not distinguish the three kinds of WebGL.
   */
  Kernel: { name: string };
  addFunction(source: string): void;
  createKernel(source: string, settings: object): Shortcut;
}
type GpuConstructor = new (settings: { mode: Mode }) => Gpu;

const NEEDED: Readonly<Record<Mode, string>> = {
  webgpu: "a browser that has WebGPU, or the package webgpu and a driver (see docs/gpu.md)",
  webgl2: "a browser that has WebGL 2; in Node take webgpu or headlessgl",
  headlessgl: "the package gl, compiled, and a display, such as that of xvfb-run (see docs/gpu.md)",
  webasm: "an engine with WebAssembly",
  cpu: "nothing",
};

async function load(): Promise<GpuConstructor> {
  const { GPU } = (await importPackage("gpu.js", "gpu.js@2.24.1", "the backend gpujs")) as { GPU?: GpuConstructor };
  if (typeof GPU !== "function")
    throw new BackendError(
      "PACKAGE_BROKEN",
      "the package gpu.js that was found has no GPU; install gpu.js@2.24.1, or use --backend wasm",
    );
  return GPU;
}

const devices = new Map<Mode, Promise<GpuJsDevice>>();

/** @throws {BackendError} when the mode does not work here; the message says what it needs */
export function openGpuJs(mode: Mode): Promise<GpuJsDevice> {
  let device = devices.get(mode);
  if (!device) {
    device = GpuJsDevice.open(mode);
    devices.set(mode, device);
    device.catch(() => devices.delete(mode));
  }
  return device;
}

/** The first mode on a GPU that works here. */
export async function openFirstGpu(): Promise<GpuJsDevice> {
  const problems: string[] = [];
  for (const mode of GPU_MODES)
    try {
      return await openGpuJs(mode);
    } catch (cause) {
      problems.push(messageOf(cause));
    }
  throw new BackendError(
    "DEVICE_MISSING",
    `gpu.js has no GPU here: ${problems.join("; ")}. On the processor there is gpujs:webasm`,
  );
}

export class GpuJsDevice {
  readonly mode: Mode;
  private readonly gpu: Gpu;
  private readonly kernels = new Map<string, Shortcut>();

  private constructor(mode: Mode, gpu: Gpu) {
    this.mode = mode;
    this.gpu = gpu;
  }

  static async open(mode: Mode): Promise<GpuJsDevice> {
    const Gpu = await load();
    if (mode === "webgpu") await provideWebGpu();
    try {
      const gpu = new Gpu({ mode });
      for (const source of LIBRARY) gpu.addFunction(source);
      const device = new GpuJsDevice(mode, gpu);
      await device.prove();
      return device;
    } catch (cause) {
      throw new BackendError(
        "DEVICE_MISSING",
        `gpu.js has no mode ${mode} here, which needs ${NEEDED[mode]} (${messageOf(cause)}); gpujs:webasm runs everywhere`,
      );
    }
  }

  /** Checks that the device returns results at all, because an installed driver may not work. */
  private async prove(): Promise<void> {
    const handle = await this.upload(Float32Array.of(1, 2 ** -125, -(2 ** 127), 1 + 2 ** -23));
    const [a, b, c, d] = await this.download(handle);
    this.free(handle);
    if (a !== 1 || b !== 2 ** -125 || c !== -(2 ** 127) || d !== 1 + 2 ** -23)
      throw new BackendError(
        "INEXACT",
        `it changes numbers that it only copies: 1 became ${a}, 2^-125 ${b}, -2^127 ${c}; use another mode, or the wasm backend`,
        { expected: [1, 2 ** -125, -(2 ** 127), 1 + 2 ** -23], found: [a, b, c, d] },
      );
  }

  async upload(data: Float32Array): Promise<Handle> {
    if (this.mode === "cpu" || this.mode === "webasm") return data;
    return this.call({ code: COPY, constants: {}, elements: data.length }, [data]);
  }

  /** The values as the device holds them, but with one sign of zero. */
  async download(handle: Handle): Promise<Float32Array> {
    const data = handle instanceof Float32Array ? handle : ((await handle.toArray()) as Float32Array);
    const words = new Uint32Array(data.buffer, data.byteOffset, data.length);
    for (let i = 0; i < words.length; i++) if (words[i] === 0x80000000) words[i] = 0;
    return data;
  }

  free(handle: Handle): void {
    if (!(handle instanceof Float32Array)) handle.delete();
  }

  async run(source: Source, tensors: readonly Handle[]): Promise<Handle> {
    return this.call(source, [...tensors, ...source.scalars]);
  }

  private async call(
    { code, constants, elements }: Pick<Source, "code" | "constants" | "elements">,
    args: readonly (Handle | number)[],
  ): Promise<Handle> {
    const key = JSON.stringify([code, constants, elements, args.map(sizeOf)]);
    let kernel = this.kernels.get(key);
    if (!kernel) {
      kernel = this.gpu.createKernel(code, {
        output: [elements],
        constants,
        precision: "single",
        fixIntegerDivisionAccuracy: false,
        pipeline: true,
        immutable: true,
        ...(this.mode !== "webgpu" && { tactic: "precision" }),
      });
      this.kernels.set(key, kernel);
    }
    try {
      const result = (await kernel(...args)) as Handle;
      const { constructor: actual, fallbackReason: why } = kernel.kernel;
      if (actual !== this.gpu.Kernel) throw new Error(`gpu.js fell back to the processor: ${String(why)}`);
      return result;
    } catch (cause) {
      throw new BackendError(
        "FAILED",
        `gpu.js can't run a kernel in the mode ${this.mode}: ${messageOf(cause)}; try another mode, or the wasm backend`,
        { code },
      );
    }
  }
}

const COPY = "function (t0) {\nreturn t0[this.thread.x];\n}";

/** The facts about an argument that a kernel is compiled for. */
function sizeOf(arg: Handle | number): unknown {
  if (typeof arg === "number") return 0;
  return arg instanceof Float32Array ? arg.length : (arg as unknown as { output: number[] }).output;
}

/** Puts WebGPU where a browser has it, because gpu.js looks for it there. */
async function provideWebGpu(): Promise<void> {
  const gpu = await findGpu();
  const place = globalThis as { navigator?: object };
  if (!place.navigator) Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  if (!("gpu" in place.navigator!)) Object.defineProperty(place.navigator, "gpu", { value: gpu, configurable: true });
}
