/** Tensors of a session that lie in the memory of this process. */
import type { Tensor } from "../../encoding/tensor.ts";

/** A tensor with elements of its own. */
export function copyOf({ dtype, shape, data }: Tensor): Tensor {
  return { dtype, shape, data: data.slice() };
}

/**
 * Gives the memory of a copy back at once, where the collector would take its time: the copies of a large
 * state are many. The copy has no elements afterwards.
 */
export function discard({ data }: Tensor): void {
  const { buffer } = data;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === data.byteLength) buffer.transfer(0);
}

/** Copies kept tensors into inputs, as `Session.move` does: all as they were before the first copy. */
export function copyTensors(tensors: readonly Tensor[], pairs: readonly { from: number; to: number }[]): void {
  const targets = new Set(pairs.map(({ to }) => to));
  // Kernels' outputs never share memory with inputs. An input that is overwritten here is read first.
  const saved = new Map(
    pairs.filter(({ from }) => targets.has(from)).map(({ from }) => [from, tensors[from].data.slice()]),
  );
  for (const { from, to } of pairs) tensors[to].data.set(saved.get(from) ?? tensors[from].data);
}
