/** The interface behind which every executor stands: JavaScript, WASM, and devices. */
import type { Tensor, TensorRoot } from "../../encoding/tensor.ts";
import type { KernelList } from "../kernels/kernel.ts";

export interface Backend {
  /** `reference`, `wasm`, … as on the command line. */
  readonly name: string;
  /**
   * The device it runs on, where that is not the processor that runs this code.
   * @throws {BackendError} when there is none
   */
  describe?(): Promise<DeviceDescription>;
  /** Facts about the arithmetic of what it runs on. */
  probe?(): Promise<Probe[]>;
  /**
   * Prepares a list of kernels; the session holds all its tensors.
   * @throws {BackendError} when the list can't run here, naming the kernel or the memory it would take
   */
  prepare(list: KernelList, options: PrepareOptions): Promise<Session>;
}

/** What a device and its driver say of themselves. Another driver may round otherwise, so a certificate is for these. */
export interface DeviceDescription {
  /** For people. */
  name: string;
  /** A processor in the place of a GPU, as SwiftShader and llvmpipe are. */
  software: boolean;
  driver: Readonly<Record<string, string>>;
  limits: Readonly<Record<string, number>>;
}

/** One fact about a device's arithmetic. */
export interface Probe {
  name: string;
  finding: string;
}

export interface PrepareOptions {
  /** Tensors whose contents must still be there after `execute` (outputs); others may share memory. */
  keep: readonly number[];
}

export interface ExecuteHooks {
  /**
   * Called after each kernel, in order, while its output is in memory. The tensor is a view that is valid during the call
   * only. What the hook writes into it is what later kernels read: drills plant their faults here.
   * @param root gives the output's root as it is then, computed where the tensor lies; callable during the call only
   */
  afterKernel?(kernel: number, output: Tensor, root: () => TensorRoot): void;
  /** The kernels after which the hook is called; absent: all. */
  at?: ReadonlySet<number>;
}

export interface ExecuteReport {
  /** Reads of a gather that lay outside its source and gave the fill value. */
  outOfRange: { kernel: number; count: number }[];
  /** What ran on another backend in between, since this one does not list it. */
  aside?: Aside;
}

export interface Aside {
  backend: string;
  kernels: readonly number[];
  /** Transfers included, and the wait for what they need. */
  seconds: number;
}

/** One prepared kernel list with its memory. */
export interface Session {
  /** Copies a tensor into input `input`. */
  write(input: number, tensor: Tensor): Promise<void>;
  /** A copy of a tensor: an input, or a kept output of the last `execute`. */
  read(tensor: number): Promise<Tensor>;
  /** Copies a kept tensor into an input of the same type, on the device: how a step's new state becomes the next one's. */
  copy(pairs: readonly { from: number; to: number }[]): Promise<void>;
  /** Runs all kernels in order. */
  execute(hooks?: ExecuteHooks): Promise<ExecuteReport>;
  /** The roots of inputs or kept tensors (spec 6.4), computed where the tensors lie. */
  roots(tensors: readonly number[]): Promise<TensorRoot[]>;
  /** Frees the memory. The session can't be used afterwards. */
  close(): Promise<void>;
}

/**
 * Runs a list once, in a session of its own.
 * @param inputs one tensor for each input of the list
 * @param outputs the tensors that are wanted, by number
 */
export async function executeOnce(
  backend: Backend,
  list: KernelList,
  inputs: readonly Tensor[],
  outputs: readonly number[],
): Promise<Tensor[]> {
  const session = await backend.prepare(list, { keep: outputs });
  try {
    for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
    await session.execute();
    const results: Tensor[] = [];
    for (const output of outputs) results.push(await session.read(output));
    return results;
  } finally {
    await session.close();
  }
}
