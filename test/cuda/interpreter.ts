/**
 * Executes kernels of PTX: blocks one after the other, and in a block each thread up to the next barrier or
 * vote before any thread goes on.
 */
import { type DeviceMemory, Fault, SharedMemory } from "./memory.ts";
import { type Entry, parseModule } from "./parse.ts";
import { Translator } from "./translate.ts";

const WARP = 32;
const BARRIER = 0;

type Thread = Generator<number, void, number>;
type Run = (tid: number, ctaid: number, P: readonly number[], M: DeviceMemory, S: SharedMemory) => Thread | undefined;

const HELPERS = `"use strict";
const { fround } = Math;
const words = new Int32Array(1);
const floats = new Float32Array(words.buffer);
const fromBits = (x) => { words[0] = x; return floats[0]; };
const bitsOf = (x) => { floats[0] = x; return words[0]; };
const least = (a, b) => a !== a ? b : b !== b ? a : Math.min(a, b);
const most = (a, b) => a !== a ? b : b !== b ? a : Math.max(a, b);
const lop3 = (a, b, c, table) => {
  let out = 0;
  for (let i = 0; i < 8; i++)
    if ((table >> i) & 1) out |= (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
  return out;
};
const permuted = (a, b, control) => {
  let out = 0;
  for (let i = 0; i < 4; i++) {
    const from = (control >> (4 * i)) & 7;
    out |= (((from < 4 ? a : b) >>> (8 * (from & 3))) & 255) << (8 * i);
  }
  return out;
};
const reversed = (x) => {
  let out = 0;
  for (let i = 0; i < 32; i++) out |= ((x >>> i) & 1) << (31 - i);
  return out;
};
`;

/** A kernel that can be executed. */
export class Kernel {
  readonly entry: Entry;
  private readonly run: Run;
  private readonly waits: boolean;
  private readonly shared: SharedMemory;

  constructor(entry: Entry) {
    const translator = new Translator(entry);
    const kind = translator.waits ? "function*" : "function";
    this.entry = entry;
    this.waits = translator.waits;
    this.shared = new SharedMemory(translator.sharedWords);
    this.run = new Function(`${HELPERS}return ${kind}(tid, ctaid, P, M, S) {\n${translator.source()}\n};`)() as Run;
  }

  /** @param values of the parameters */
  launch(blocks: number, threads: number, values: readonly number[], memory: DeviceMemory): void {
    if (threads > this.entry.threads) throw new Error(`${this.entry.name} takes ${this.entry.threads} threads at most`);
    if (values.length !== this.entry.parameters.length)
      throw new Error(`${this.entry.name} gets ${values.length} values`);
    memory.begin();
    for (let block = 0; block < blocks; block++)
      if (this.waits) this.inStep(block, threads, values, memory);
      else for (let thread = 0; thread < threads; thread++) this.run(thread, block, values, memory, this.shared);
  }

  private inStep(block: number, count: number, values: readonly number[], memory: DeviceMemory): void {
    const { shared } = this;
    shared.clear();
    const threads = Array.from({ length: count }, (_, thread) => this.run(thread, block, values, memory, shared)!);
    /** What each thread waits for; `undefined` for one that has ended. */
    const waiting: (number | undefined)[] = threads.map((thread) => valueOf(thread.next(0)));
    while (waiting.some((at) => at !== undefined)) {
      const isVote = (at: number | undefined): boolean => at !== undefined && at !== BARRIER;
      const votes = waiting.findIndex(isVote);
      if (votes < 0) {
        if (waiting.includes(undefined)) throw new Fault("threads wait at a barrier at which others will never arrive");
        shared.barrier();
        threads.forEach((thread, i) => (waiting[i] = valueOf(thread.next(0))));
        continue;
      }
      const first = votes - (votes % WARP);
      const warp = waiting.slice(first, first + WARP);
      if (warp.length < WARP || !warp.every(isVote)) throw new Fault("not all threads of a warp vote");
      const ballot = warp.reduce<number>((bits, vote, i) => bits | (vote === 2 ? 1 << i : 0), 0);
      for (let i = first; i < first + WARP; i++) waiting[i] = valueOf(threads[i].next(ballot));
    }
  }
}

const valueOf = ({ done, value }: IteratorResult<number, void>): number | undefined =>
  done ? undefined : (value as number);

/** The kernels of a module, by name. */
export function loadModule(text: string): Map<string, Kernel> {
  return new Map(parseModule(text).entries.map((entry) => [entry.name, new Kernel(entry)]));
}
