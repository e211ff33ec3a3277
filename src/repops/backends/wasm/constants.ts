/**
 * 32-bit constants in memory. A `v128.const` in a loop is built in each iteration; a splat-load before the
 * loop is not.
 */
export class ConstantPool {
  private readonly base: number;
  private readonly addresses = new Map<number, number>();

  /** @param base byte address, a multiple of 4 */
  constructor(base: number) {
    this.base = base;
  }

  /** The byte address of a word with these bits. It never changes. */
  address(bits: number): number {
    const key = bits | 0;
    let address = this.addresses.get(key);
    if (address === undefined) {
      address = this.end;
      this.addresses.set(key, address);
    }
    return address;
  }

  /** The first byte after the constants that the pool has now. */
  get end(): number {
    return this.base + 4 * this.addresses.size;
  }

  /** Writes the constants below an address. The pool may have grown since that address was its end. */
  write(memory: WebAssembly.Memory, end: number): void {
    const view = new DataView(memory.buffer);
    for (const [bits, address] of this.addresses) if (address < end) view.setInt32(address, bits, true);
  }
}
