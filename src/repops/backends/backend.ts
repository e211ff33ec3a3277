/** The interface behind which every executor stands: JavaScript, WASM, and devices. */
import type { Tensor, TensorRoot } from "../../encoding/tensor.ts";
import type { KernelList } from "../kernels/kernel.ts";

/** What executes lists of kernels with the bits of the specification. */
export interface Backend {
  /** `reference`, `wasm`, … as on the command line. */
  readonly name: string;
  /**
   * The device it runs on, where that is not the processor that runs this code.
   * @throws {BackendError} when there is none
   */
  describe?(): Promise<DeviceDescription>;
  /** The same backend with floats computed by integers alone, where it has such a mode; itself, where it is that mode. */
  readonly strict?: Backend;
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

/** What is wanted of outputs besides those that are kept. Kernels are named by their numbers in the list. */
export interface ExecuteOptions {
  /** Kernels whose outputs' roots are wanted; none unless given. */
  rootsOf?: readonly number[] | "all";
  /** Kernels whose outputs are wanted themselves; none unless given. */
  capture?: readonly number[];
}

/** What an execution gives. It is plain data, so a worker, another process or another machine can give it. */
export interface ExecuteReport {
  /** Reads of a gather that lay outside its source and gave the fill value. */
  outOfRange: { kernel: number; count: number }[];
  /**
   * By kernel, in the list's order: the root of its output (spec 6.4) as it was when the kernel had run. Later
   * kernels may write over that memory. It is computed where the tensor lies.
   */
  roots: ReadonlyMap<number, TensorRoot>;
  /** By kernel, in the list's order: a copy of its output as it was when the kernel had run. */
  captured: ReadonlyMap<number, Tensor>;
  /** What ran on another backend in between, since this one does not list it. */
  fallback?: Fallback;
}

export interface Fallback {
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
  /**
   * Runs all kernels in order.
   * @throws {BackendError} for a kernel that the list does not have, before anything runs
   */
  execute(options?: ExecuteOptions): Promise<ExecuteReport>;
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
