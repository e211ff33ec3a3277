/** The memory of a device and of a block, which refuse what a real one would do silently. */

/** What a kernel does and may not: a real device would do it silently. */
export class Fault extends Error {}

/** Bytes before the first address, so that a null pointer is no address. */
const NULL = 256;

/** Memory that threads of a launch share. Addresses are numbers. */
export class DeviceMemory {
  readonly base: number;
  readonly words: Int32Array;
  readonly floats: Float32Array;
  /** Whether each word belongs to an allocation. */
  private readonly valid: Uint8Array;
  /** The last launch that has read and written each word. */
  private readonly read: Int32Array;
  private readonly written: Int32Array;
  private launch = 0;

  /**
   * @param buffer where it lies
   * @param base the address of the buffer's first byte
   */
  constructor(buffer: ArrayBuffer, base: number) {
    this.base = base;
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    const { length } = this.words;
    this.valid = new Uint8Array(length);
    this.read = new Int32Array(length);
    this.written = new Int32Array(length);
  }

  static ofSize(bytes: number): DeviceMemory {
    return new DeviceMemory(new ArrayBuffer(4 * Math.ceil(bytes / 4) + NULL), NULL);
  }

  /** Makes bytes part of an allocation, filled with what no kernel expects, or no part of one. */
  mark(address: number, bytes: number, valid: boolean): void {
    const [from, to] = [this.place(address), this.place(address) + Math.ceil(bytes / 4)];
    this.valid.fill(valid ? 1 : 0, from, to);
    if (valid) this.words.fill(0x7fc0dead, from, to);
  }

  begin(): void {
    this.launch++;
  }

  private place(address: number): number {
    return (address - this.base) / 4;
  }

  private at(address: number, words: number): number {
    const place = this.place(address);
    if (!Number.isInteger(place / words)) throw new Fault(`address ${address} is no multiple of ${4 * words}`);
    for (let i = place; i < place + words; i++)
      if (this.valid[i] !== 1) throw new Fault(`nothing is allocated at address ${address}`);
    return place;
  }

  /** The place of words that are read; `constant`: nothing writes to them during the launch. */
  reading(address: number, words: number, constant: boolean): number {
    const place = this.at(address, words);
    if (constant)
      for (let i = place; i < place + words; i++) {
        if (this.written[i] === this.launch)
          throw new Fault(`address ${address} is written by the launch that reads it`);
        this.read[i] = this.launch;
      }
    return place;
  }

  writing(address: number, words: number): number {
    const place = this.at(address, words);
    for (let i = place; i < place + words; i++) {
      if (this.read[i] === this.launch) throw new Fault(`address ${address} is read by the launch that writes it`);
      if (this.written[i] === this.launch) throw new Fault(`address ${address} is written twice`);
      this.written[i] = this.launch;
    }
    return place;
  }

  /** The place of a word that is changed in one indivisible step. */
  changing(address: number): number {
    return this.at(address, 1);
  }
}

/** The shared memory of a block. Between two barriers, what one thread writes no other one may touch. */
export class SharedMemory {
  readonly words: Int32Array;
  readonly floats: Float32Array;
  private readonly writer: Int32Array;
  private readonly writtenAt: Int32Array;
  private readonly reader: Int32Array;
  private readonly readAt: Int32Array;
  private epoch = 1;

  constructor(words: number) {
    const buffer = new ArrayBuffer(4 * words);
    this.words = new Int32Array(buffer);
    this.floats = new Float32Array(buffer);
    [this.writer, this.writtenAt, this.reader, this.readAt] = Array.from({ length: 4 }, () => new Int32Array(words));
  }

  /** What a new block finds. */
  clear(): void {
    this.epoch = 1;
    this.writtenAt.fill(0);
    this.readAt.fill(0);
  }

  barrier(): void {
    this.epoch++;
  }

  private at(address: number, words: number): number {
    const place = address / 4;
    if (!Number.isInteger(place / words) || place < 0 || place + words > this.words.length)
      throw new Fault(`shared memory has no ${words} words at ${address}`);
    return place;
  }

  reading(address: number, words: number, thread: number): number {
    const place = this.at(address, words);
    for (let i = place; i < place + words; i++) {
      if (this.writtenAt[i] === 0) throw new Fault(`shared word ${i} is read before it is written`);
      if (this.writtenAt[i] === this.epoch && this.writer[i] !== thread)
        throw new Fault(`thread ${thread} reads shared word ${i}, which another has written since the last barrier`);
      const several = this.readAt[i] === this.epoch && this.reader[i] !== thread;
      this.readAt[i] = this.epoch;
      this.reader[i] = several ? -1 : thread;
    }
    return place;
  }

  writing(address: number, words: number, thread: number): number {
    const place = this.at(address, words);
    for (let i = place; i < place + words; i++) {
      if (this.readAt[i] === this.epoch && this.reader[i] !== thread)
        throw new Fault(`thread ${thread} writes shared word ${i}, which another has read since the last barrier`);
      if (this.writtenAt[i] === this.epoch && this.writer[i] !== thread)
        throw new Fault(`thread ${thread} writes shared word ${i}, which another has written since the last barrier`);
      this.writtenAt[i] = this.epoch;
      this.writer[i] = thread;
    }
    return place;
  }
}
