/** Launches with their arguments, which lie in memory of this process for as long as they may be launched. */
import type { CudaDevice } from "./device.ts";

/** One launch, ready but for the memory of its arguments. */
export interface Command {
  /** The function's handle. */
  readonly code: number;
  readonly blocks: number;
  readonly threads: number;
  /** The values of its parameters: addresses, or words. */
  readonly values: readonly number[];
}

export class Commands {
  private readonly device: CudaDevice;
  private readonly all: readonly Command[];
  /** For each launch: the address of the list of its arguments' addresses. */
  private readonly lists: readonly number[];
  /** Keeps the arguments where they are. */
  private readonly memory: BigUint64Array;

  constructor(device: CudaDevice, all: readonly Command[]) {
    // An address and a value for each parameter.
    const words = all.reduce((sum, { values }) => sum + 2 * values.length, 0);
    this.device = device;
    this.all = all;
    this.memory = new BigUint64Array(new ArrayBuffer(8 * Math.max(words, 16)));
    const start = device.addressOf(this.memory.buffer as ArrayBuffer);
    let at = 0;
    this.lists = all.map(({ values }) => {
      const list = start + 8 * at;
      for (const [i, value] of values.entries()) {
        const place = at + values.length + i;
        this.memory[at + i] = BigInt(start + 8 * place);
        this.memory[place] = BigInt.asUintN(64, BigInt(value));
      }
      at += 2 * values.length;
      return list;
    });
  }

  get count(): number {
    return this.all.length;
  }

  /** Tells the device to run launch `i` after everything that it was told before. */
  tell(i: number): void {
    const { code, blocks, threads } = this.all[i];
    const { device } = this;
    device.run("run a kernel", "cuLaunchKernel", code, blocks, 1, 1, threads, 1, 1, 0, device.stream, this.lists[i], 0);
  }

  tellAll(): void {
    for (const i of this.all.keys()) this.tell(i);
  }
}
