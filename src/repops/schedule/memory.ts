/**
 * Places the tensors of a schedule in memory. Inputs and kept tensors have permanent places, so the results
 * of a run can be read until the next run writes them. Other tensors share places as their lifetimes allow.
 * An output never shares a place with a tensor that its own step reads.
 */
import { endings } from "./lifetimes.ts";
import type { Schedule } from "./schedule.ts";

/** Memory from which places are taken, and to which they are returned. */
export interface Store {
  /** Takes a place of at least this many bytes. */
  take(bytes: number): number;
  /** Frees a place that was taken with this many bytes. */
  give(place: number, bytes: number): void;
}

/**
 * A place for each tensor that is ever in memory, by tensor number. The lasting tensors take their places
 * first, in the order of `lasting`.
 * @param bytesOf the size of a tensor, in bytes
 */
export function allocate(
  { steps, lifetimes, lasting }: Schedule,
  bytesOf: (tensor: number) => number,
  store: Store,
): (number | undefined)[] {
  const places = new Array<number | undefined>(lifetimes.length).fill(undefined);
  for (const tensor of lasting) places[tensor] = store.take(bytesOf(tensor));
  const ended = endings(lifetimes, steps.length);
  for (const [i, { writes }] of steps.entries()) {
    for (const tensor of writes) places[tensor] ??= store.take(bytesOf(tensor));
    for (const tensor of ended[i]) store.give(places[tensor]!, bytesOf(tensor));
  }
  return places;
}

/** One stretch of memory, in which places are offsets. */
export class Stretch implements Store {
  private readonly alignment: number;
  /** The free parts in order, joined where they touch. */
  private readonly gaps: { from: number; to: number }[] = [];
  /** The length so far, in bytes. */
  bytes = 0;

  /** @param alignment in bytes; every offset is a multiple of it */
  constructor(alignment: number) {
    this.alignment = alignment;
  }

  /** Takes the smallest gap that is large enough, else a place at the end. */
  take(bytes: number): number {
    const size = this.aligned(bytes);
    let best = -1;
    this.gaps.forEach(({ from, to }, i) => {
      const fits = to - from >= size;
      if (fits && (best < 0 || to - from < this.gaps[best].to - this.gaps[best].from)) best = i;
    });
    if (best < 0) {
      this.bytes += size;
      return this.bytes - size;
    }
    const gap = this.gaps[best];
    const at = gap.from;
    gap.from += size;
    if (gap.from === gap.to) this.gaps.splice(best, 1);
    return at;
  }

  give(from: number, bytes: number): void {
    const size = this.aligned(bytes);
    if (size === 0) return;
    let at = this.gaps.findIndex((gap) => gap.from > from);
    if (at < 0) at = this.gaps.length;
    this.gaps.splice(at, 0, { from, to: from + size });
    for (const i of [at, at - 1]) {
      const [left, right] = [this.gaps[i], this.gaps[i + 1]];
      if (left && right && left.to === right.from) {
        left.to = right.to;
        this.gaps.splice(i + 1, 1);
      }
    }
  }

  private aligned(bytes: number): number {
    return Math.ceil(bytes / this.alignment) * this.alignment;
  }
}

/** Buffers of a device. A place is the number of a buffer; a tensor begins at the start of its buffer. */
export class Slots implements Store {
  /** The size of each buffer, in bytes. */
  readonly sizes: number[] = [];
  private readonly free: number[] = [];

  /** Takes the free buffer that fits best; else the largest free one, enlarged; else a new one. */
  take(bytes: number): number {
    const { sizes, free } = this;
    free.sort((a, b) => sizes[a] - sizes[b]);
    const fitting = free.findIndex((slot) => sizes[slot] >= bytes);
    const at = fitting >= 0 ? fitting : free.length - 1;
    const slot = at >= 0 ? free.splice(at, 1)[0] : sizes.push(bytes) - 1;
    sizes[slot] = Math.max(sizes[slot], bytes);
    return slot;
  }

  give(slot: number): void {
    this.free.push(slot);
  }
}
