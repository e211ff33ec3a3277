/** Where the tensors of a kernel list lie: inputs and kept tensors for good, others as long as they are read. */
import { elementCount } from "../../../encoding/tensor.ts";
import { BackendError } from "../../../errors/index.ts";
import { type KernelList, operandsOf, typeOf } from "../../kernels/kernel.ts";

const ALIGNMENT = 64;
const align = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

/** Bytes from the start of the arena, and how large it gets. */
export interface Layout {
  offsets: readonly number[];
  bytes: number;
}

/** Free stretches in order, joined where they touch. */
class FreeList {
  private readonly gaps: { from: number; to: number }[] = [];
  end = 0;

  /** The smallest gap that is large enough, else the end. */
  take(bytes: number): number {
    let best = -1;
    this.gaps.forEach(({ from, to }, i) => {
      const fits = to - from >= bytes;
      if (fits && (best < 0 || to - from < this.gaps[best].to - this.gaps[best].from)) best = i;
    });
    if (best >= 0) {
      const gap = this.gaps[best];
      const at = gap.from;
      gap.from += bytes;
      if (gap.from === gap.to) this.gaps.splice(best, 1);
      return at;
    }
    this.end += bytes;
    return this.end - bytes;
  }

  give(from: number, bytes: number): void {
    if (bytes === 0) return;
    let at = this.gaps.findIndex((gap) => gap.from > from);
    if (at < 0) at = this.gaps.length;
    this.gaps.splice(at, 0, { from, to: from + bytes });
    for (const i of [at, at - 1]) {
      const [left, right] = [this.gaps[i], this.gaps[i + 1]];
      if (left && right && left.to === right.from) {
        left.to = right.to;
        this.gaps.splice(i + 1, 1);
      }
    }
  }
}

/**
 * @param keep tensors that have to outlive the execution
 * @param room the bytes that may be used
 * @throws {BackendError} saying how much is needed, and for what most
 */
export function layOut(list: KernelList, keep: readonly number[], room: number): Layout {
  const count = list.inputs.length + list.kernels.length;
  const sizes = Array.from({ length: count }, (_, i) => align(4 * elementCount(typeOf(list, i).shape)));
  const lastRead = new Array<number>(count).fill(-1);
  list.kernels.forEach((kernel, i) => {
    for (const tensor of operandsOf(kernel)) lastRead[tensor] = i;
  });
  const lasting = new Set([...list.inputs.keys(), ...keep]);
  const free = new FreeList();
  const offsets = new Array<number>(count).fill(0);
  for (const tensor of lasting) offsets[tensor] = free.take(sizes[tensor]);
  list.kernels.forEach((kernel, i) => {
    const output = list.inputs.length + i;
    if (!lasting.has(output)) offsets[output] = free.take(sizes[output]);
    // An output never shares memory with what its own kernel reads.
    const ended = new Set([output, ...operandsOf(kernel)]);
    for (const tensor of ended)
      if (!lasting.has(tensor) && lastRead[tensor] <= i) free.give(offsets[tensor], sizes[tensor]);
  });
  if (free.end > room) {
    const lastingBytes = [...lasting].reduce((sum, tensor) => sum + sizes[tensor], 0);
    const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;
    throw new BackendError(
      "MEMORY",
      `the wasm backend has ${megabytes(room)}, and this graph needs ${megabytes(free.end)}: ` +
        `${megabytes(lastingBytes)} for inputs and state, the rest for what lies between; take a smaller batch or model`,
      { expected: free.end, found: room, lasting: lastingBytes },
    );
  }
  return { offsets, bytes: free.end };
}
