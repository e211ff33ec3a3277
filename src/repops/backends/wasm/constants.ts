/**
 * 32-bit constants in memory. A `v128.const` in a loop is built in each iteration; a splat-load before the
 * loop is not.
 */
import { BackendError } from "../../../errors/index.ts";

export class ConstantPool {
  private readonly base: number;
  private readonly capacity: number;
  private readonly addresses = new Map<number, number>();

  /**
   * @param base byte address, a multiple of 4
   * @param capacity the largest number of words
   */
  constructor(base: number, capacity: number) {
    this.base = base;
    this.capacity = capacity;
  }

  /** The byte address of a word with these bits. */
  address(bits: number): number {
    const key = bits | 0;
    let address = this.addresses.get(key);
    if (address === undefined) {
      if (this.addresses.size === this.capacity)
        throw new BackendError(
          "UNSUPPORTED",
          `more than ${this.capacity} distinct constants in one module; use the reference backend`,
        );
      address = this.base + 4 * this.addresses.size;
      this.addresses.set(key, address);
    }
    return address;
  }

  write(memory: WebAssembly.Memory): void {
    const view = new DataView(memory.buffer);
    for (const [bits, address] of this.addresses) view.setInt32(address, bits, true);
  }
}
