/** Memory of a device, and memory of this process that the device copies to and from by itself. */
import type { CudaDevice } from "./device.ts";

/** Memory of this process that stays where it is. */
export interface Pinned {
  readonly address: number;
  readonly bytes: number;
  readonly buffer: ArrayBuffer;
}

/** What is kept for the next copies, in bytes: taking pinned memory takes as long as a copy. */
const MOST_KEPT = 2 ** 28;
const LEAST = 2 ** 12;

/** Pinned memory in sizes that are powers of two, so that copies of many sizes share it. */
export class PinnedPool {
  private readonly device: CudaDevice;
  private readonly free: Pinned[] = [];
  private kept = 0;

  constructor(device: CudaDevice) {
    this.device = device;
  }

  /** @throws {BackendError} when there is too little memory */
  take(bytes: number): Pinned {
    let size = LEAST;
    while (size < bytes) size *= 2;
    const found = this.free.findIndex((pinned) => pinned.bytes === size);
    if (found >= 0) {
      this.kept -= size;
      return this.free.splice(found, 1)[0];
    }
    return this.device.allocatePinned(size);
  }

  give(pinned: Pinned): void {
    if (this.kept + pinned.bytes > MOST_KEPT) return this.device.freePinned(pinned);
    this.kept += pinned.bytes;
    this.free.push(pinned);
  }
}
