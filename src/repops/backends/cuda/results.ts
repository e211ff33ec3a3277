/** Copies of results that the device makes in their order, and that are looked at when all has ended. */
import { elementsIn } from "../../../encoding/dtypes.ts";
import { byteLength, type TensorRoot, zeros } from "../../../encoding/tensor.ts";
import type { OpenReport } from "../wanted.ts";
import type { CudaDevice } from "./device.ts";
import type { Hasher, Placed } from "./hasher.ts";
import type { Pinned } from "./memory.ts";

/** What is done with a copy; its buffer may be longer than what was copied. */
type Take = (buffer: ArrayBuffer) => void;

export class Results {
  private readonly device: CudaDevice;
  private readonly copies: { pinned: Pinned; take: Take }[] = [];

  constructor(device: CudaDevice) {
    this.device = device;
  }

  copy(address: number, bytes: number, take: Take): void {
    const { device } = this;
    const pinned = device.pinned.take(bytes);
    device.run("copy a result", "cuMemcpyDtoHAsync_v2", pinned.address, address, bytes, device.stream);
    this.copies.push({ pinned, take });
  }

  /** Call it when the device has done all that it was told. */
  take(): void {
    for (const { pinned, take } of this.copies) {
      take(pinned.buffer);
      this.device.pinned.give(pinned);
    }
  }
}

/** Roots and outputs of kernels whose memory is used again: they are recorded right after their kernel. */
export class Trail {
  private readonly report: OpenReport;
  private readonly results: Results;

  constructor(report: OpenReport, results: Results) {
    this.report = report;
    this.results = results;
  }

  root(kernel: number, hasher: Hasher): void {
    const { roots } = this.report;
    // At its place in the report, which is in the order of the kernels.
    roots.set(kernel, new Uint8Array() as TensorRoot);
    hasher.tell();
    if (hasher.bytes === 0) roots.set(kernel, hasher.roots(new ArrayBuffer(0))[0]);
    else this.results.copy(hasher.digests, hasher.bytes, (buffer) => roots.set(kernel, hasher.roots(buffer)[0]));
  }

  output(kernel: number, { type, address }: Placed): void {
    const { captured } = this.report;
    const { dtype, shape } = type;
    const bytes = byteLength(type);
    captured.set(kernel, zeros({ dtype, shape: bytes === 0 ? shape : [0] }));
    if (bytes === 0) return;
    this.results.copy(address, bytes, (buffer) =>
      captured.set(kernel, { dtype, shape, data: elementsIn(dtype, buffer.slice(0, bytes)) }),
    );
  }
}
