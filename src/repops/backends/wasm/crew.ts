/**
 * The helpers of this process: threads that compute for all sessions. They start with the first session that
 * has work for them, and end with the process. If one ends before, the others are ended too, and the sessions
 * that it helped continue alone.
 */
import { isNode, workerThreads } from "../../../encoding/node.ts";
import { BOARD } from "./control.ts";
import { HELPER, type HelperMessage, type SessionMessage } from "./helper.ts";

/** One thread. */
export interface Helper {
  post(message: HelperMessage): void;
  /** Ends it, and waits until it has ended. */
  end(): Promise<unknown>;
}

/** The number of words that a board has for helpers. */
const MOST = 256;

/**
 * Whether this engine lets threads share memory; browsers do on pages that are isolated from other origins.
 */
export function canShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  return isNode || (globalThis.crossOriginIsolated === true && typeof Worker !== "undefined");
}

export class Crew {
  readonly helpers: Helper[] = [];
  private readonly board = new Int32Array(new SharedArrayBuffer(4 * (BOARD.posted + MOST)));
  /** Once a helper has ended: the end of all. */
  private end: Promise<void> | undefined;
  private sessions = 0;

  /** Whether it helps nobody any more. */
  get hasEnded(): boolean {
    return this.end !== undefined;
  }

  /** Ends all helpers; afterwards they write no memory. */
  async ended(): Promise<void> {
    this.end ??= Promise.all(this.helpers.map((helper) => helper.end())).then(() => undefined);
    await this.end;
  }

  /** Starts helpers until there are `count`. */
  grow(count: number): void {
    while (this.helpers.length < Math.min(count, MOST)) {
      const helper = startHelper(() => void this.ended());
      helper.post({ board: this.board, number: this.helpers.length });
      this.helpers.push(helper);
    }
  }

  /**
   * Tells helpers of a session.
   * @param scratches an address for each helper that joins
   * @returns the session's number
   */
  join(session: Omit<SessionMessage, "open" | "scratch">, scratches: readonly number[]): number {
    const open = ++this.sessions;
    scratches.forEach((scratch, i) => this.post(i, { ...session, open, scratch }));
    return open;
  }

  /** Lets helpers forget a session, and free its memory. */
  leave(session: number): void {
    if (!this.hasEnded) this.helpers.forEach((_, i) => this.post(i, { close: session }));
  }

  /**
   * Says that a session has calls.
   * @param calls for so many helpers
   * @param joined the helpers that know the session; if others do not, all have to look
   */
  wake(session: number, calls: number, joined: number): void {
    Atomics.store(this.board, BOARD.session, session);
    Atomics.add(this.board, BOARD.wake, 1);
    Atomics.notify(this.board, BOARD.wake, joined < this.helpers.length ? Infinity : calls);
  }

  private post(helper: number, message: HelperMessage): void {
    // Counted first: a helper that saw a message before its number would wait for the next one.
    Atomics.add(this.board, BOARD.posted + helper, 1);
    Atomics.add(this.board, BOARD.wake, 1);
    Atomics.notify(this.board, BOARD.wake);
    this.helpers[helper].post(message);
  }
}

let crew: Crew | undefined;

/** The crew of this process with at least `helpers` helpers; `undefined` where no thread can be started. */
export function crewOf(helpers: number): Crew | undefined {
  if (!crew || crew.hasEnded) crew = new Crew();
  try {
    crew.grow(helpers);
    return crew;
  } catch {
    // Node's permissions and a page's policy can forbid threads.
    return undefined;
  }
}

function startHelper(onEnd: () => void): Helper {
  if (!isNode) return startWebWorker(onEnd);
  const worker = new workerThreads.Worker(HELPER, { eval: true, execArgv: [], env: {}, name: "verde-wasm" });
  worker.unref();
  worker.on("error", onEnd);
  worker.on("exit", onEnd);
  return { post: (message) => worker.postMessage(message, []), end: () => worker.terminate() };
}

function startWebWorker(onEnd: () => void): Helper {
  const address = URL.createObjectURL(new Blob([HELPER], { type: "text/javascript" }));
  const worker = new Worker(address, { name: "verde-wasm" });
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    onEnd();
  });
  return { post: (message) => worker.postMessage(message, { transfer: [] }), end: async () => worker.terminate() };
}
