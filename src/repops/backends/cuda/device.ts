/** The NVIDIA card of this process: two streams, memory, and the code that was compiled for it. */
import type { BackendError } from "../../../errors/index.ts";
import { type Call, type Driver, Result } from "./driver.ts";
import { errorOf, isLost } from "./failures.ts";
import { compileModule } from "./modules.ts";
import { type Pinned, PinnedPool } from "./memory.ts";

/** Streams that do not wait for the default one; events without times; memory that every context may use. */
const [NON_BLOCKING, NO_TIMING, PORTABLE] = [1, 2, 1];
/** A capture is not disturbed by other threads (`CU_STREAM_CAPTURE_MODE_THREAD_LOCAL`). */
const THREAD_LOCAL = 1;

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** What a device is, for people and for certificates. */
export interface CudaFacts {
  readonly name: string;
  /** Of the driver interface: `12.4`. */
  readonly cuda: string;
  /** Of the driver itself, where the system tells it: its compiler may change with every release. */
  readonly release: string;
  /** `9.0` */
  readonly capability: string;
  readonly ptx: string;
  readonly memory: number;
  readonly processors: number;
}

/** A device in use, and its failure, if any. Sessions share it. */
export class CudaDevice {
  readonly facts: CudaFacts;
  readonly pinned: PinnedPool;
  /** Where kernels run, and where results are copied meanwhile. */
  readonly stream: number;
  readonly copies: number;
  private readonly driver: Driver;
  private readonly functions = new Map<string, readonly number[]>();
  /** The reason why the device can't be used any more. */
  private failure: BackendError | undefined;

  constructor(driver: Driver, facts: CudaFacts) {
    this.driver = driver;
    this.facts = facts;
    this.pinned = new PinnedPool(this);
    [this.stream, this.copies] = ["compute", "copy"].map((what) => {
      this.run(`make a stream to ${what}`, "cuStreamCreate", driver.results, NON_BLOCKING);
      return driver.number();
    });
  }

  get usable(): boolean {
    return this.failure === undefined;
  }

  /** @throws {BackendError} when the device was lost: its results since then can't be used */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** @throws {BackendError} when the call fails; the message says what it was for */
  run(doing: string, name: Call, ...values: number[]): void {
    this.check();
    const code = this.driver.call(name, ...values);
    if (code !== Result.success) throw this.failed(code, doing);
  }

  /** The error for a call that failed. */
  failed(code: number, doing: string): BackendError {
    const error = errorOf(code, this.facts.name, doing);
    if (isLost(code)) this.failure ??= error;
    return error;
  }

  /** @throws {BackendError} when there is too little memory; the message says how much is free */
  allocate(bytes: number): number {
    this.check();
    const { driver } = this;
    const code = driver.call("cuMemAlloc_v2", driver.results, Math.max(bytes, 1));
    if (code === Result.success) return driver.number();
    if (isLost(code)) throw this.failed(code, `give ${megabytes(bytes)} of memory`);
    const free = driver.call("cuMemGetInfo_v2", driver.results, driver.results + 8) === Result.success;
    const room = free ? `, of which ${megabytes(driver.number())} are free` : "";
    throw errorOf(code, this.facts.name, `give ${megabytes(bytes)} of its ${megabytes(this.facts.memory)}${room}`);
  }

  /** Frees memory that nothing uses any more. */
  free(address: number): void {
    if (this.usable) this.run("free memory", "cuMemFree_v2", address);
  }

  allocatePinned(bytes: number): Pinned {
    const { driver } = this;
    this.run(`pin ${megabytes(bytes)} of this machine's memory`, "cuMemHostAlloc", driver.results, bytes, PORTABLE);
    const address = driver.number();
    return { address, bytes, buffer: driver.koffi.view(BigInt(address), bytes) };
  }

  freePinned({ address }: Pinned): void {
    if (this.usable) this.run("free memory of this machine", "cuMemFreeHost", address);
  }

  /**
   * The functions of a module, in the order of its entries; a text is compiled once.
   * @throws {BackendError} with the compiler's first line where it refuses the text
   */
  compile(text: string, entries: number): readonly number[] {
    this.check();
    let functions = this.functions.get(text);
    if (!functions) this.functions.set(text, (functions = compileModule(this, this.driver, text, entries)));
    return functions;
  }

  /** Records what a stream is told meanwhile, as a graph that is launched as a whole. */
  capture(tell: () => void): number {
    const { driver } = this;
    this.run("record a graph", "cuStreamBeginCapture_v2", this.stream, THREAD_LOCAL);
    try {
      tell();
    } finally {
      if (this.usable) this.run("end the record of a graph", "cuStreamEndCapture", this.stream, driver.results);
    }
    const graph = driver.number();
    this.run("make a graph", "cuGraphInstantiateWithFlags", driver.results, graph, 0);
    const executable = driver.number();
    this.run("free a graph", "cuGraphDestroy", graph);
    return executable;
  }

  /**
   * Copies bytes to the device, as they are at the call, after all that it was told before.
   * @returns when they are there; the next call need not wait for it
   */
  upload(address: number, bytes: Uint8Array): Promise<void> {
    const pinned = this.pinned.take(bytes.length);
    new Uint8Array(pinned.buffer).set(bytes);
    this.run("copy to its memory", "cuMemcpyHtoDAsync_v2", address, pinned.address, bytes.length, this.stream);
    const event = this.record(this.stream);
    const done = this.until(event).finally(() => {
      this.forget(event);
      this.pinned.give(pinned);
    });
    // Who does not wait for it learns of a failure with the next call.
    done.catch(() => undefined);
    return done;
  }

  /** A copy of the device's memory, after all that it was told before. */
  async download(address: number, bytes: number): Promise<ArrayBuffer> {
    const pinned = this.pinned.take(bytes);
    this.run("copy from its memory", "cuMemcpyDtoHAsync_v2", pinned.address, address, bytes, this.stream);
    const event = this.record(this.stream);
    try {
      await this.until(event);
      return pinned.buffer.slice(0, bytes);
    } finally {
      this.forget(event);
      this.pinned.give(pinned);
    }
  }

  /** The address of a buffer of JavaScript, which is valid as long as something refers to the buffer. */
  addressOf(buffer: ArrayBuffer): number {
    return Number(this.driver.koffi.address(buffer));
  }

  /** A point in a stream's work. */
  record(stream: number): number {
    const { driver } = this;
    this.run("make an event", "cuEventCreate", driver.results, NO_TIMING);
    const event = driver.number();
    this.run("record an event", "cuEventRecord", event, stream);
    return event;
  }

  /** What a stream is told after this waits for the event. */
  waitFor(stream: number, event: number): void {
    this.run("wait for an event", "cuStreamWaitEvent", stream, event, 0);
  }

  forget(event: number): void {
    if (this.usable) this.run("free an event", "cuEventDestroy_v2", event);
  }

  /**
   * Returns when all before an event has ended; meanwhile this process does other work.
   * @throws {BackendError} when something has failed: a kernel, a copy, or the device itself
   */
  async until(event: number): Promise<void> {
    for (let turn = 0; ; turn++) {
      this.check();
      const code = this.driver.call("cuEventQuery", event);
      if (code === Result.success) return;
      if (code !== Result.notReady) throw this.failed(code, "finish what it was told");
      // Soon at first: most waits are short. Later, the processor is for others.
      await new Promise<void>((resolve) => (turn < SOON ? setImmediate(resolve) : setTimeout(resolve, 1)));
    }
  }
}

const SOON = 200;
