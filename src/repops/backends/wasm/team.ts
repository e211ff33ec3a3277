/**
 * The threads of one session: this one and helpers. A session has a table of calls in its memory, and a fork
 * is some of them in a row, which threads take by tickets until none is left. Tickets are counted through all
 * forks, so a thread that was held up can't take a ticket of another fork by mistake. Nobody waits for a
 * thread that has taken no ticket: where helpers are late or missing, this thread does all.
 */
import { isNode } from "../../../encoding/node.ts";
import { CALL_WORDS, CONTROL } from "./control.ts";
import { type Crew, crewOf } from "./crew.ts";
import type { SessionMessage } from "./helper.ts";

/** A promise if something is not finished yet. */
export type Late = Promise<void> | undefined;

/** A function of the modules, with the address of its words. */
export type CallFunction = (words: number, scratch: number, turn: number) => number | void;

/** How often this thread looks whether helpers are done before it sleeps: some ten microseconds. */
const LOOKS = 2_000;
/** In a browser's main thread, which may not sleep: milliseconds. */
const LOOKS_MILLISECONDS = 2;
/**
 * Milliseconds without a call that was done, after which this thread lets events in: one may say that a
 * helper has ended.
 */
const PATIENCE = 100;

/** Lets helpers forget the sessions that nobody closed: helpers hold their memory. */
const forgotten = new FinalizationRegistry<{ crew: Crew; session: number }>(({ crew, session }) => crew.leave(session));

interface TeamOptions {
  memory: WebAssembly.Memory;
  functions: readonly CallFunction[];
  /** The address of the control words. */
  control: number;
  /** The address of each thread's scratch memory; the first is this thread's. */
  scratches: readonly number[];
  /** For tests: the helpers are waited for, and do all forks alone. */
  idle: boolean;
}

export class Team {
  private readonly words: Int32Array;
  private readonly at: number;
  private readonly functions: readonly CallFunction[];
  private readonly scratch: number;
  private readonly idle: boolean;
  private crew: Crew | undefined;
  private session = 0;
  private helpers = 0;

  constructor({ memory, functions, control, scratches, idle }: TeamOptions) {
    this.words = new Int32Array(memory.buffer);
    this.at = control / 4;
    this.functions = functions;
    this.scratch = scratches[0];
    this.idle = idle;
  }

  /** Calls in helpers' places, as far as they can be started. */
  async hire(session: Omit<SessionMessage, "open" | "scratch">, scratches: readonly number[]): Promise<void> {
    this.crew = crewOf(scratches.length);
    if (!this.crew) return;
    this.helpers = scratches.length;
    this.session = this.crew.join(session, scratches);
    forgotten.register(this, { crew: this.crew, session: this.session }, this);
    showBytes(this.words.byteLength);
    const joined = (): number => Atomics.load(this.words, this.at + CONTROL.joined);
    while (this.idle && !this.crew.hasEnded && joined() < scratches.length) await sleep(1);
  }

  /** The calls that helpers have run. */
  get helped(): number {
    return this.words[this.at + CONTROL.helped];
  }

  /**
   * Runs calls that may run at the same time.
   * @param first the word at which the first call begins
   * @param dealt whether helpers may take some
   */
  run(first: number, count: number, dealt: boolean): Late {
    const { words, at, crew } = this;
    words[at + CONTROL.turn]++;
    if (!dealt || !crew || crew.hasEnded || count === 1) return void this.runAlone(first, count);
    const base = words[at + CONTROL.end];
    words[at + CONTROL.first] = first;
    words[at + CONTROL.base] = base;
    Atomics.store(words, at + CONTROL.end, (base + count) | 0);
    crew.wake(this.session, this.idle ? count : count - 1, this.helpers);
    try {
      if (!this.idle) this.takeCalls(first, base);
    } catch (error) {
      // The tickets that are left would be taken for those of the next fork.
      this.close();
      throw error;
    }
    return this.join(crew, first, count);
  }

  /** Lets the helpers forget the session. */
  close(): void {
    this.crew?.leave(this.session);
    this.crew = undefined;
    forgotten.unregister(this);
    showBytes(this.words.byteLength);
  }

  private runAlone(first: number, count: number): void {
    for (let i = 0; i < count; i++) this.call(first + CALL_WORDS * i);
  }

  private call(call: number): void {
    const { words, functions, scratch, at } = this;
    words[call + 2] = functions[words[call]](words[call + 1], scratch, words[at + CONTROL.turn]) as number;
  }

  private takeCalls(first: number, base: number): void {
    const { words, at } = this;
    for (;;) {
      const ticket = Atomics.load(words, at + CONTROL.next);
      if (ticket === words[at + CONTROL.end]) return;
      if (Atomics.compareExchange(words, at + CONTROL.next, ticket, (ticket + 1) | 0) !== ticket) continue;
      this.call(first + CALL_WORDS * ((ticket - base) | 0));
      Atomics.add(words, at + CONTROL.done, 1);
    }
  }

  /** Waits for the calls that helpers have taken. */
  private join(crew: Crew, first: number, count: number): Late {
    const { words, at } = this;
    const end = words[at + CONTROL.end];
    const done = at + CONTROL.done;
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, done) === end) return undefined;
    if (mayWait()) {
      for (;;) {
        const seen = Atomics.load(words, done);
        if (seen === end) return undefined;
        if (Atomics.wait(words, done, seen, PATIENCE) === "timed-out") break;
      }
    } else {
      const started = performance.now();
      while (performance.now() < started + LOOKS_MILLISECONDS) if (Atomics.load(words, done) === end) return undefined;
    }
    return this.joinLater(crew, first, count);
  }

  private async joinLater(crew: Crew, first: number, count: number): Promise<void> {
    const { words, at } = this;
    const end = words[at + CONTROL.end];
    const done = at + CONTROL.done;
    while (!crew.hasEnded) {
      const seen = Atomics.load(words, done);
      if (seen === end) return;
      await changeOf(words, done, seen);
    }
    if (Atomics.load(words, done) === end) return;
    // A call that was begun may be done again: no call writes what it or another one of its fork reads.
    await crew.ended();
    Atomics.store(words, at + CONTROL.next, end);
    Atomics.store(words, done, end);
    this.runAlone(first, count);
  }
}

/**
 * No engine counts shared memory when it decides whether to collect garbage. So it is shown as many bytes of
 * another kind; nothing uses them, and the system gives them only when they are used.
 */
function showBytes(bytes: number): void {
  try {
    void new ArrayBuffer(bytes);
  } catch {
    // Then there will be a collection soon anyway.
  }
}

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until a word changes, or for a few milliseconds. */
async function changeOf(words: Int32Array, word: number, seen: number): Promise<void> {
  const { waitAsync } = Atomics as { waitAsync?: typeof Atomics.waitAsync };
  // In Node a wait does not keep the process alive.
  if (isNode || !waitAsync) return sleep(1);
  await waitAsync(words, word, seen, PATIENCE).value;
}

let waits: boolean | undefined;

/** Whether this thread may sleep: any but a browser's main thread. */
function mayWait(): boolean {
  if (waits === undefined)
    try {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1);
      waits = true;
    } catch {
      waits = false;
    }
  return waits;
}
