/** Writes checkpoints: large ones on a second thread, since training steps may leave this one no time. */
import type { Worker } from "node:worker_threads";
import { workerThreads } from "../encoding/node.ts";
import { byteLength } from "../encoding/tensor.ts";
import { FileError, type FileSubCode, type Evidence } from "../errors/index.ts";
import { type UnreadTensor, writeSafetensors } from "../formats/safetensors-file.ts";
import type { NamedTensor } from "../job/closed.ts";

/** Smaller ones are written before a thread has begun. In bytes. */
const LARGE = 2 ** 24;

/** What the thread is asked to write. */
export interface Order {
  path: string;
  tensors: readonly NamedTensor[];
}

/** What it answers: what went wrong, if anything did. Its first message says that it is there. */
export interface Answer {
  error?: { message: string; file?: { subCode: FileSubCode; evidence: Evidence } };
}

export class CheckpointFiles {
  private readonly large: number;
  private readonly start: () => Worker;
  private worker: Worker | undefined;
  /** Whether there can be a second thread. */
  private alone = false;

  /**
   * @param large bytes from which on a checkpoint is left to the second thread
   * @param start starts it, for tests
   */
  constructor(large = LARGE, start = startThread) {
    this.large = large;
    this.start = start;
  }

  /**
   * Writes a checkpoint, one at a time; where no second thread can be started, on this one.
   * @param tensors the memory of large ones may be handed over: then they have no elements afterwards; unread
   * ones are read and written here
   * @throws {FileError} that names the file, when it can't be written
   */
  async write(path: string, tensors: readonly (NamedTensor | UnreadTensor)[]): Promise<void> {
    const bytes = tensors.reduce((sum, type) => sum + byteLength(type), 0);
    const there = tensors.filter((tensor) => "data" in tensor);
    const isLittle = bytes < this.large || there.length < tensors.length;
    const worker = isLittle ? undefined : (this.worker ?? (await this.started()));
    if (!worker) return writeSafetensors(path, tensors);
    const memory = new Set(there.map(({ data }) => data.buffer as ArrayBuffer));
    const ask = (): void => worker.postMessage({ path, tensors: there }, [...memory]);
    const { error } = await this.answerOf(worker, path, ask);
    if (error?.file) throw new FileError(error.file.subCode, error.message, error.file.evidence);
    if (error) throw new Error(error.message);
  }

  /** The thread when it runs: before that nothing is handed over to it, since it may never begin. */
  private async started(): Promise<Worker | undefined> {
    if (this.alone) return undefined;
    try {
      const worker = this.start();
      this.worker = worker;
      const forget = (): void => void (this.worker === worker && (this.worker = undefined));
      worker.on("error", forget).on("exit", forget);
      await this.answerOf(worker, "checkpoints", () => undefined);
    } catch {
      // Node's permissions, a limit on threads, or a bundle without this file.
      this.alone = true;
      this.worker = undefined;
    }
    return this.worker;
  }

  private async answerOf(worker: Worker, path: string, ask: () => void): Promise<Answer> {
    worker.ref();
    return new Promise<Answer>((resolve, reject) => {
      const end = (settle: () => void): void => {
        worker.off("message", answered).off("error", failed).off("exit", gone);
        // An idle thread does not keep the program from ending.
        worker.unref();
        settle();
      };
      const answered = (answer: Answer): void => end(() => resolve(answer));
      const failed = (error: unknown): void => end(() => reject(error as Error));
      const gone = (): void => failed(new Error(`the thread that writes ${path} has ended; run it again`));
      worker.on("message", answered).on("error", failed).on("exit", gone);
      ask();
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
  }
}

function startThread(): Worker {
  // Bundlers look for such names where a URL is made of a literal; in a browser there is no file to write.
  const name = `checkpoint-thread${import.meta.url.slice(-3)}`;
  return new workerThreads.Worker(new URL(name, import.meta.url));
}
