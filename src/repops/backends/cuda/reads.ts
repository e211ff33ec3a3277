/** Copies of tensors to the host, on a stream of their own: the device computes meanwhile. */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { byteLength, type Tensor, zeros } from "../../../encoding/tensor.ts";
import type { CudaDevice } from "./device.ts";
import type { Placed } from "./hasher.ts";

export class Reads {
  private readonly device: CudaDevice;
  /** The copies that have not ended, by tensor: events. */
  private readonly open = new Map<number, Set<number>>();

  constructor(device: CudaDevice) {
    this.device = device;
  }

  /** A copy of a tensor as it is when the device has done all that it was told before. */
  async read(tensor: number, { type, address }: Placed): Promise<Tensor> {
    const { device } = this;
    const { dtype, shape } = type;
    const bytes = byteLength(type);
    device.check();
    if (bytes === 0) return zeros(type);
    const pinned = device.pinned.take(bytes);
    const written = device.record(device.stream);
    device.waitFor(device.copies, written);
    device.forget(written);
    device.run("copy a tensor", "cuMemcpyDtoHAsync_v2", pinned.address, address, bytes, device.copies);
    const copied = device.record(device.copies);
    const copies = this.open.get(tensor) ?? new Set();
    this.open.set(tensor, copies.add(copied));
    try {
      await device.until(copied);
      return { dtype, shape, data: elementsIn(dtype, pinned.buffer.slice(0, bytes)) };
    } finally {
      copies.delete(copied);
      device.forget(copied);
      device.pinned.give(pinned);
    }
  }

  /** What the device does next waits for the copies of tensors that it overwrites. */
  beforeWriting(tensors: readonly number[]): void {
    const { device } = this;
    for (const tensor of tensors) for (const event of this.open.get(tensor) ?? []) device.waitFor(device.stream, event);
  }
}
