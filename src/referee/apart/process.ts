/**
 * The referee's end of a party's process: starts it, asks one thing after the other, and ends it when it is
 * late, takes too much memory, or sends what was not asked for.
 */
import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { Bytes } from "../../encoding/bytes.ts";
import { childProcess, os, url } from "../../encoding/node.ts";
import { messageOf } from "../../errors/index.ts";
import { ANSWER_MILLIS, LONGEST_TIMER } from "../../game/play.ts";
import { plainText } from "../../game/received.ts";
import { FrameReader, frameOf } from "./frames.ts";
import { decodeReply, type PartyFailure, replyBound } from "./messages.ts";

/** The limits of a party's process. */
export interface ProcessLimits {
  /**
   * The most milliseconds for one answer, and for opening the trace. Default: ten minutes. `Infinity` for no
   * limit.
   */
  timeout?: number;
  /**
   * The most memory of the process, in MiB. Default: two fifths of the machine's, so that two parties and the
   * referee have room. It is measured five times a second.
   */
  memory?: number;
}

/** How to start the process. Only tests start another program. */
export interface Program {
  /** A module. It gets the id of the referee's process and the limit of memory in MiB as arguments. */
  readonly entry: URL;
  /** Further arguments. */
  readonly args?: readonly string[];
}

/** The name is a value: a bundler for browsers would otherwise take the module along. */
const CHILD = `child${import.meta.url.slice(-3)}`;
const ownProgram = (): Program => ({ entry: new URL(CHILD, import.meta.url) });

/** Milliseconds that a process has to load Verde. */
const START_MILLIS = 60_000;

/** Milliseconds that a process has to end by itself after its input was closed. */
const FAREWELL = 2000;
/** Milliseconds to wait for the last bytes of a process that has ended. */
const LAST_BYTES = 500;
/** The characters that are kept of what a process writes to its standard error. */
const MAX_STDERR = 4096;

interface Pending {
  readonly most: number;
  readonly settle: (reply: Bytes | PartyFailure) => void;
}

export class PartyProcess {
  private readonly child: ChildProcess;
  private readonly timeout: number;
  private readonly replies = new FrameReader();
  private readonly finished: Promise<void>;
  private pending: Pending | undefined;
  private turn: Promise<unknown> = Promise.resolve();
  private ended: PartyFailure | undefined;
  private stderr = "";
  private closing: Promise<void> | undefined;

  private constructor(child: ChildProcess, timeout: number) {
    this.child = child;
    this.timeout = timeout;
    const [stderr, replies] = [child.stderr!, child.stdio[3] as Readable];
    for (const stream of [child.stdin!, stderr, replies]) {
      stream.on("error", () => undefined);
      // An idle party does not keep the referee's process running.
      (stream as Partial<{ unref(): void }>).unref?.();
    }
    child.unref();
    stderr.on("data", (piece: Buffer) => (this.stderr = (this.stderr + piece.toString("latin1")).slice(-MAX_STDERR)));
    replies.on("data", (piece: Buffer) => this.receive(piece));
    child.on("exit", () => setTimeout(() => this.release(), LAST_BYTES).unref());
    this.finished = new Promise((resolve) => {
      child.on("close", (code, signal) => {
        this.stop(this.causeOfDeath(code, signal));
        resolve();
      });
    });
  }

  /**
   * @throws {Error} when the process can't be started or does not get as far as waiting for requests: that is
   * the fault of the referee's machine
   */
  static async start(limits: ProcessLimits = {}, { entry, args = [] }: Program = ownProgram()): Promise<PartyProcess> {
    const { timeout = ANSWER_MILLIS, memory = defaultMemory() } = limits;
    const child = childProcess.spawn(
      process.execPath,
      [
        `--max-old-space-size=${memory}`,
        "--disable-warning=ExperimentalWarning",
        url.fileURLToPath(entry),
        `${process.pid}`,
        `${memory}`,
        ...args,
      ],
      { stdio: ["pipe", "ignore", "pipe", "pipe"], windowsHide: true },
    );
    const failed = new Promise<never>((_, reject) => child.on("error", reject));
    failed.catch(() => undefined);
    const cantStart = (cause: unknown): Error =>
      new Error(
        `the process for a party can't be started: ${messageOf(cause)}; see that memory and processes are free`,
        {
          cause,
        },
      );
    if (child.pid === undefined) throw cantStart(await failed.catch((cause: unknown) => cause));
    const party = new PartyProcess(child, timeout);
    const hello = await party.exchange(undefined, 0, START_MILLIS);
    if (hello instanceof Uint8Array) return party;
    await party.close();
    throw cantStart(new Error(hello.message));
  }

  /** The id of the process. */
  get pid(): number {
    return this.child.pid!;
  }

  /** Why the process was ended, or ended by itself. `undefined` as long as it runs. */
  get failure(): PartyFailure | undefined {
    return this.ended;
  }

  /**
   * Sends a request when those before it are answered.
   * @param most the most bytes of the answer's content
   * @returns the content, or why there is none. It never rejects
   */
  request(message: Bytes, most: number): Promise<Bytes | PartyFailure> {
    const reply = this.turn.then(async () => {
      const bytes = await this.exchange(message, replyBound(most));
      if (!(bytes instanceof Uint8Array)) return bytes;
      try {
        return decodeReply(bytes);
      } catch (error) {
        return notAnAnswer(messageOf(error));
      }
    });
    this.turn = reply;
    return reply;
  }

  /** Ends the process, and waits until it has ended. Further calls have no effect. */
  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    const isBusy = this.pending !== undefined;
    this.settle({ code: "ENDED", message: "the dispute has ended" });
    this.child.stdin!.end();
    if (isBusy || this.ended) this.child.kill("SIGKILL");
    this.ended ??= { code: "ENDED", message: "the dispute has ended" };
    // This timer also keeps the referee's process running until the party's has ended.
    const timer = setInterval(() => this.child.kill("SIGKILL"), FAREWELL);
    await this.finished;
    clearInterval(timer);
  }

  private exchange(message: Bytes | undefined, most: number, timeout = this.timeout): Promise<Bytes | PartyFailure> {
    if (this.ended) return Promise.resolve(this.ended);
    return new Promise((resolve) => {
      const timer = this.deadline(timeout);
      this.pending = {
        most,
        settle: (reply) => {
          clearTimeout(timer);
          resolve(reply);
        },
      };
      if (message) this.child.stdin!.write(frameOf(message));
    });
  }

  /** The timer also keeps the referee's process running while it waits. */
  private deadline(timeout: number): ReturnType<typeof setTimeout> {
    return setTimeout(
      () => {
        const { pending } = this;
        // The referee may have been busy itself: what has arrived meanwhile is read first.
        setImmediate(() => {
          if (pending === this.pending && timeout <= LONGEST_TIMER)
            this.stop({ code: "LATE", message: `no answer within ${timeout / 1000} s` });
        });
      },
      Math.min(timeout, LONGEST_TIMER),
    );
  }

  private receive(piece: Bytes): void {
    if (this.ended) return;
    if (!this.pending) return this.stop(notAnAnswer("its process sent what it was not asked for"));
    try {
      const messages = this.replies.feed(piece, this.pending.most);
      if (messages.length === 1) this.settle(messages[0]);
      else if (messages.length > 1) this.stop(notAnAnswer("its process sent several replies to one question"));
    } catch (error) {
      this.stop(notAnAnswer(messageOf(error)));
    }
  }

  private settle(reply: Bytes | PartyFailure): void {
    const { pending } = this;
    this.pending = undefined;
    pending?.settle(reply);
  }

  private stop(failure: PartyFailure): void {
    this.ended ??= failure;
    this.child.kill("SIGKILL");
    this.settle(this.ended);
  }

  /** Closes our ends of the pipes; another process may hold the others. */
  private release(): void {
    for (const stream of this.child.stdio) stream?.destroy();
  }

  private causeOfDeath(code: number | null, signal: NodeJS.Signals | null): PartyFailure {
    const said = plainText(
      this.stderr.split("\n").findLast((line) => /\S/.test(line) && !/^ +at |^Node\.js v/.test(line)) ?? "",
    );
    const isMemory = /heap out of memory|more than its memory|Array buffer allocation failed/.exec(this.stderr);
    if (isMemory) return { code: "MEMORY", message: "its process needs more memory than it may use" };
    const how = signal === null ? `with the code ${code}` : `by the signal ${signal}`;
    return { code: "ENDED", message: `its process ended ${how}${said && `: ${said}`}` };
  }
}

function notAnAnswer(problem: string): PartyFailure {
  return { code: "MALFORMED", message: problem };
}

/** In MiB. A container may have less memory than its machine. */
function defaultMemory(): number {
  const limit = process.constrainedMemory();
  const total = limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
  return Math.floor((total * 2) / 5 / 2 ** 20);
}
