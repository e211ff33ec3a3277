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

/** What it answers: what went wrong, if anything did. */
export interface Answer {
  error?: { message: string; file?: { subCode: FileSubCode; evidence: Evidence } };
}

export class CheckpointFiles {
  private readonly large: number;
  private worker: Worker | undefined;

  /** @param large bytes from which on a checkpoint is left to the second thread */
  constructor(large = LARGE) {
    this.large = large;
  }

  /**
   * Writes a checkpoint, one at a time.
   * @param tensors the memory of large ones is handed over: they have no elements afterwards; unread ones are
   * read and written here
   * @throws {FileError} that names the file, when it can't be written
   */
  async write(path: string, tensors: readonly (NamedTensor | UnreadTensor)[]): Promise<void> {
    const bytes = tensors.reduce((sum, type) => sum + byteLength(type), 0);
    const there = tensors.filter((tensor) => "data" in tensor);
    if (bytes < this.large || there.length < tensors.length) return writeSafetensors(path, tensors);
    const { error } = await this.ask({ path, tensors: there });
    if (error?.file) throw new FileError(error.file.subCode, error.message, error.file.evidence);
    if (error) throw new Error(error.message);
  }

  private async ask(order: Order): Promise<Answer> {
    // Bundlers look for such names where a URL is made of a literal; in a browser there is no file to write.
    const name = `checkpoint-thread${import.meta.url.slice(-3)}`;
    const worker = (this.worker ??= new workerThreads.Worker(new URL(name, import.meta.url)));
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
      const gone = (): void => failed(new Error(`the thread that writes ${order.path} has ended; run it again`));
      worker.on("message", answered).on("error", failed).on("exit", gone);
      const memory = new Set(order.tensors.map(({ data }) => data.buffer as ArrayBuffer));
      worker.postMessage(order, [...memory]);
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
  }
}
