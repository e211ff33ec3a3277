/** The interface of every executor: JavaScript, WASM, and devices. */
import type { Tensor, TensorRoot } from "../../encoding/tensor.ts";
import type { KernelList } from "../kernels/kernel.ts";
import type { Audited, ElementOf } from "./audit.ts";

/** A backend executes lists of kernels with the bits of the specification. */
export interface Backend {
  /** The name on the command line, such as `reference` or `wasm`. */
  readonly name: string;
  /**
   * The device that it runs on, if that is not the processor that runs this code.
   * @throws {BackendError} when there is no device
   */
  describe?(): Promise<DeviceDescription>;
  /**
   * The mode of this backend that computes floats with integers only, if there is one; it may be this backend
   * itself.
   */
  readonly strict?: Backend;
  /** Facts about the arithmetic of the device or engine that it runs on. */
  probe?(): Promise<Probe[]>;
  /**
   * Compiles the code of several lists at once, where that is faster than one list after the other. It
   * changes no result, and a list that was not named here runs as well.
   */
  warmUp?(lists: readonly Preparation[]): Promise<void>;
  /**
   * Prepares a list of kernels. The session holds all tensors of the list.
   * @throws {BackendError} when the list can't run here; the message names the kernel or the memory that it
   * needs
   */
  prepare(list: KernelList, options: PrepareOptions): Promise<Session>;
}

/**
 * The device's and the driver's own description. A certificate is bound to it, because another driver may
 * round differently.
 */
export interface DeviceDescription {
  /** The name for the user. */
  name: string;
  /** Whether the processor does the work of a GPU, as with SwiftShader and llvmpipe. */
  software: boolean;
  driver: Readonly<Record<string, string>>;
  limits: Readonly<Record<string, number>>;
}

/** One fact about a device's arithmetic. */
export interface Probe {
  name: string;
  finding: string;
}

/** A list that will be prepared. */
export interface Preparation extends PrepareOptions {
  list: KernelList;
}

export interface PrepareOptions {
  /** Tensors whose contents must be available after `execute` (outputs). Other tensors may share memory. */
  keep: readonly number[];
  /** Inputs that will be lent; default none. A session that borrows plans no memory for them. */
  lent?: readonly number[];
}

/**
 * What to record of outputs, in addition to the kept ones. Kernels are named by their numbers in the list.
 */
export interface ExecuteOptions {
  /** Kernels whose outputs' roots are recorded; default none. */
  rootsOf?: readonly number[] | "all";
  /** Kernels whose outputs are copied; default none. */
  capture?: readonly number[];
  /**
   * Elements of outputs that the definition computes again, at most one of a kernel; default none. A backend
   * whose memory the definition can't read ignores it.
   */
  audit?: readonly ElementOf[];
}

/**
 * The result of an execution. It is plain data, so a worker, another process or another machine can return
 * it.
 */
export interface ExecuteReport {
  /** Reads of a gather that were outside of its source and gave the fill value. */
  outOfRange: { kernel: number; count: number }[];
  /**
   * The maps and folds whose steps had something to note (spec 4.7), in the list's order; absent where the
   * backend can't see that.
   */
  noted?: Noted[];
  /**
   * By kernel, in the list's order: the root of its output (spec 6.4) directly after the kernel has run,
   * because later kernels may overwrite that memory. It is computed where the tensor is.
   */
  roots: ReadonlyMap<number, TensorRoot>;
  /** By kernel, in the list's order: a copy of its output directly after the kernel has run. */
  captured: ReadonlyMap<number, Tensor>;
  /** The elements that were computed again, in the list's order; absent where the backend can't do that. */
  audited?: Audited;
  /** The kernels that ran on the fallback backend, because this one does not list them. */
  fallback?: Fallback;
}

/** What the steps of a map or a fold have noted. */
export interface Noted {
  kernel: number;
  /** Whether a magnitude was above a clamp range: the result is not that of the operands. */
  above: boolean;
  /** Whether a magnitude was below a clamp range, and counted as 0. */
  below: boolean;
  /** Whether a result reached 2^127, and no float that it was made of had. */
  saturated: boolean;
  /** Whether a function had operands outside of its domain. */
  domain: boolean;
}

export interface Fallback {
  backend: string;
  kernels: readonly number[];
  /** Includes transfers, and the wait for the results that they need. */
  seconds: number;
}

/**
 * One prepared kernel list with its memory. Calls take effect in the order in which they are made, and none
 * has to be awaited before the next one: `roots` and `read` give the tensors as they are at the call, also
 * when `execute` or `move` follows before their promise is fulfilled. So a backend can hash a state while it
 * computes the next one.
 */
export interface Session {
  /**
   * Copies a tensor, as it is at the call, into input `input`. Its bits are taken as they are: a drill writes
   * states that no honest run has. `checkTensor` checks a tensor from outside.
   * @throws {BackendError | ValueError | ShapeError} when there is no such input, or it has another type
   */
  write(input: number, tensor: Tensor): Promise<void>;
  /**
   * As `write`, for a tensor that nobody changes before the session is closed: the session may read it where
   * it lies. Absent: `write` does it.
   */
  lend?(input: number, tensor: Tensor): Promise<void>;
  /**
   * A copy of a tensor: an input, or a kept output of the last `execute`.
   * @throws {BackendError} for any other tensor
   */
  read(tensor: number): Promise<Tensor>;
  /**
   * Makes kept tensors the contents of inputs of the same type, on the device. So a new state becomes the
   * next pre-state. All sources are taken as they were before the call. Afterwards a kernel's output that was
   * a source has no defined contents until the next `execute`, because a backend may exchange the two; an
   * input that was a source keeps its contents, unless it is also a target.
   */
  move(pairs: readonly { from: number; to: number }[]): Promise<void>;
  /**
   * Runs all kernels in order.
   * @throws {BackendError} for a kernel that the list does not have, before anything runs
   */
  execute(options?: ExecuteOptions): Promise<ExecuteReport>;
  /** The roots of inputs or kept tensors (spec 6.4), computed where the tensors are. */
  roots(tensors: readonly number[]): Promise<TensorRoot[]>;
  /** Frees the memory. Any later use throws a `BackendError`. */
  close(): Promise<void>;
}

/** Lends a tensor to a session, or writes it where the session can't borrow. */
export function lend(session: Session, input: number, tensor: Tensor): Promise<void> {
  return session.lend ? session.lend(input, tensor) : session.write(input, tensor);
}

/**
 * Runs a list once, in a session of its own.
 * @param inputs one tensor for each input of the list
 * @param outputs the numbers of the tensors to return
 */
export async function executeOnce(
  backend: Backend,
  list: KernelList,
  inputs: readonly Tensor[],
  outputs: readonly number[],
  onReport?: (report: ExecuteReport) => void,
): Promise<Tensor[]> {
  const session = await backend.prepare(list, { keep: outputs });
  try {
    for (const [i, tensor] of inputs.entries()) await session.write(i, tensor);
    const report = await session.execute();
    onReport?.(report);
    const results: Tensor[] = [];
    for (const output of outputs) results.push(await session.read(output));
    return results;
  } finally {
    await session.close();
  }
}
