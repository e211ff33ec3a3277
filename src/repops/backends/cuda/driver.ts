/** CUDA's driver interface, as far as it is used here, through the optional package `koffi`. */
import { isNode, os } from "../../../encoding/node.ts";
import { BackendError, messageOf } from "../../../errors/index.ts";
import { type Koffi, loadKoffi } from "../native/koffi.ts";

/** The types of parameters: p an address or another 64-bit number, u and i 32-bit ones. */
const PARAMETERS = {
  cuInit: "u",
  cuDriverGetVersion: "p",
  cuDeviceGetCount: "p",
  cuDeviceGet: "pi",
  cuDeviceGetName: "pii",
  cuDeviceGetAttribute: "pii",
  cuDeviceTotalMem_v2: "pi",
  cuDevicePrimaryCtxRetain: "pi",
  cuDevicePrimaryCtxReset_v2: "i",
  cuCtxSetCurrent: "p",
  cuMemGetInfo_v2: "pp",
  cuMemAlloc_v2: "pp",
  cuMemFree_v2: "p",
  cuMemHostAlloc: "ppu",
  cuMemFreeHost: "p",
  cuMemcpyHtoDAsync_v2: "pppp",
  cuMemcpyDtoHAsync_v2: "pppp",
  cuMemcpyDtoDAsync_v2: "pppp",
  cuMemsetD32Async: "pupp",
  cuModuleLoadDataEx: "ppupp",
  cuModuleGetFunction: "ppp",
  cuLaunchKernel: "puuuuuuuppp",
  cuStreamCreate: "pu",
  cuStreamWaitEvent: "ppu",
  cuStreamBeginCapture_v2: "pi",
  cuStreamEndCapture: "pp",
  cuGraphInstantiateWithFlags: "ppp",
  cuGraphLaunch: "pp",
  cuGraphDestroy: "p",
  cuGraphExecDestroy: "p",
  cuEventCreate: "pu",
  cuEventRecord: "pp",
  cuEventQuery: "p",
  cuEventDestroy_v2: "p",
} as const;
const TYPES = { p: "int64_t", u: "uint32_t", i: "int" } as const;

/** A function of the driver. */
export type Call = keyof typeof PARAMETERS;

/** The results that are looked at here (CUDA driver API, `CUresult`). */
export const Result = { success: 0, notReady: 600 } as const;

/** Bytes that a call writes its results to. */
const SCRATCH = 4096;

/** The library by its name on each system; `VERDE_LIBCUDA` names another file. */
const libraryName = (): string =>
  process.env.VERDE_LIBCUDA ?? (os.platform() === "win32" ? "nvcuda.dll" : "libcuda.so.1");

/** koffi unloads a library that nothing refers to. */
const loaded: unknown[] = [];

/** The driver's functions. Each gives a `CUresult`. */
export class Driver {
  readonly koffi: Koffi;
  /** What calls write results to. It is read before the next call. */
  readonly scratch: DataView;
  /** The address of `scratch`. */
  readonly results: number;
  private readonly functions: ReadonlyMap<string, (...values: number[]) => number>;

  /**
   * @throws {BackendError} when there is no driver, or it lacks a function, because it is too old
   */
  constructor(koffi: Koffi, name: string) {
    this.koffi = koffi;
    const library = loadLibrary(koffi, name);
    loaded.push(library);
    this.functions = new Map(
      Object.entries(PARAMETERS).map(([call, letters]) => {
        const types = [...letters].map((letter) => TYPES[letter as keyof typeof TYPES]);
        try {
          return [call, library.func(call, "int", types) as (...values: number[]) => number];
        } catch {
          throw new BackendError(
            "DRIVER_OLD",
            `the NVIDIA driver (${name}) has no function ${call}; install a driver for CUDA 11.4 or newer, or use wasm`,
            { missing: call },
          );
        }
      }),
    );
    const bytes = new ArrayBuffer(SCRATCH);
    this.scratch = new DataView(bytes);
    this.results = Number(koffi.address(bytes));
  }

  static async load(): Promise<Driver> {
    if (!isNode) throw new BackendError("UNSUPPORTED", "the cuda backend needs Node; webgpu runs in browsers");
    return new Driver(await loadKoffi("the cuda backend"), libraryName());
  }

  /** The `CUresult` of a call. */
  call(name: Call, ...values: number[]): number {
    return this.functions.get(name)!(...values);
  }

  /** The number that the last call has written. */
  number(): number {
    return Number(this.scratch.getBigUint64(0, true));
  }

  integer(): number {
    return this.scratch.getInt32(0, true);
  }

  /** The text that the last call has written, of at most `most` bytes. */
  text(most: number): string {
    const bytes = new Uint8Array(this.scratch.buffer, 0, most);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(bytes.slice(0, end < 0 ? most : end));
  }
}

function loadLibrary(koffi: Koffi, name: string): ReturnType<Koffi["load"]> {
  try {
    return koffi.load(name);
  } catch (cause) {
    throw new BackendError(
      "DEVICE_MISSING",
      `there is no NVIDIA driver here: ${name} can't be loaded (${messageOf(cause)}); install it, name its library with VERDE_LIBCUDA, or use webgpu, native or wasm`,
      { library: name },
    );
  }
}
