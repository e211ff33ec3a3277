/** Which buffer holds which tensor: inputs and kept tensors have their own, others share as their lives allow. */
import { elementCount } from "../../../encoding/tensor.ts";
import { type KernelList, typeOf } from "../../kernels/kernel.ts";
import type { Group } from "../../schedule/fuse.ts";

export interface Slots {
  /** Bytes of each buffer. */
  sizes: readonly number[];
  /** The buffer of each tensor; `undefined` for one that is never written. */
  slotOf: readonly (number | undefined)[];
}

/** Bindings can't be empty. */
const bytesOf = (list: KernelList, tensor: number): number => Math.max(4 * elementCount(typeOf(list, tensor).shape), 4);

/**
 * Each group's outputs take the free buffer that fits best, or make the largest free one larger; a group's operands are
 * free behind the last group that reads them.
 * @param taken slots that exist already, such as those of inputs and kept tensors
 */
export function assignSlots(list: KernelList, groups: readonly Group[], taken: Slots): Slots {
  const sizes = [...taken.sizes];
  const slotOf = [...taken.slotOf];
  const lastRead = new Map<number, number>();
  groups.forEach(({ reads }, at) => reads.forEach((tensor) => lastRead.set(tensor, at)));
  const free: number[] = [];
  groups.forEach(({ reads, writes }, at) => {
    const own = writes.filter((tensor) => slotOf[tensor] === undefined);
    for (const tensor of own) {
      const bytes = bytesOf(list, tensor);
      const bySize = free.sort((a, b) => sizes[a] - sizes[b]);
      const fitting = bySize.findIndex((slot) => sizes[slot] >= bytes);
      const place = fitting >= 0 ? fitting : bySize.length - 1;
      const slot = place >= 0 ? free.splice(place, 1)[0] : sizes.push(bytes) - 1;
      sizes[slot] = Math.max(sizes[slot], bytes);
      slotOf[tensor] = slot;
    }
    const ended = [...reads, ...own].filter((tensor) => (lastRead.get(tensor) ?? at) === at);
    for (const tensor of new Set(ended)) if (taken.slotOf[tensor] === undefined) free.push(slotOf[tensor]!);
  });
  return { sizes, slotOf };
}

/** One slot for each input and kept tensor. */
export function lastingSlots(list: KernelList, keep: readonly number[]): Slots {
  const count = list.inputs.length + list.kernels.length;
  const slotOf = new Array<number | undefined>(count).fill(undefined);
  const sizes = [...new Set([...list.inputs.keys(), ...keep])].map((tensor, slot) => {
    slotOf[tensor] = slot;
    return bytesOf(list, tensor);
  });
  return { sizes, slotOf };
}
