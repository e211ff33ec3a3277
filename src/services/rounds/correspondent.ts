/** Asks the other side of a plan over a network, again and again while it is away. */
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import type { TensorRoot, TensorType } from "../../encoding/tensor.ts";
import { FormatError, messageOf, RoundsError, TransportError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";
import { Blobs } from "../../rounds/blobs.ts";
import { sleep } from "../provider/sleep.ts";
import type { Transport } from "../transport/transport.ts";
import { type AskedOfParticipant, type AskedOfRecorder, messages, MOST_REPLY, type Reply } from "./messages.ts";

/** Milliseconds until one answer has to be there. */
const ANSWER_MILLIS = 30_000;
const PAUSE_MILLIS = 300;
const MINUTE = 60_000;
/** Failures that pass when a process or a server is there again. */
const PASSING: ReadonlySet<string> = new Set([
  "VERDE_TRANSPORT_NOBODY",
  "VERDE_TRANSPORT_UNREACHABLE",
  "VERDE_TRANSPORT_LATE",
]);

/** A reply of one kind. */
export type Replied<K extends Reply["kind"]> = Extract<Reply, { kind: K }>;

export class Correspondent {
  /** For errors. */
  readonly name: string;
  private readonly transport: Transport;
  private readonly subject: string;
  private readonly patience: number;
  private readonly signal: AbortSignal | undefined;

  /**
   * @param options.name of the other side
   * @param options.patience milliseconds for which it may be away. Default: a minute
   * @param options.signal ends the waiting
   */
  constructor(
    transport: Transport,
    subject: string,
    options: {
      readonly name: string;
      readonly patience?: number | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ) {
    this.transport = transport;
    this.subject = subject;
    this.name = options.name;
    this.patience = options.patience ?? MINUTE;
    this.signal = options.signal;
  }

  /**
   * @param kinds of replies that are expected
   * @throws {RoundsError} PARTICIPANT when it stays away, says why it has failed, or replies something else
   */
  async ask<K extends Reply["kind"]>(
    question: AskedOfParticipant | AskedOfRecorder,
    ...kinds: K[]
  ): Promise<Replied<K>> {
    const reply = await this.reached(messages.ask(question));
    if ((kinds as string[]).includes(reply.kind)) return reply as Replied<K>;
    if (reply.kind !== "failed") throw this.wrong(`replied "${reply.kind}" to "${question.kind}"`);
    throw new RoundsError("PARTICIPANT", `${this.name} has failed: ${plainText(reply.message)} (${plainText(reply.code)})`, { participant: this.name, code: plainText(reply.code) }); // prettier-ignore
  }

  /** Fetches those blobs that are not there. @throws {RoundsError} when one is not the tensor of its root */
  async fetch(blobs: Blobs, roots: readonly TensorRoot[], types: readonly TensorType[]): Promise<void> {
    for (const [i, root] of roots.entries()) {
      if (await blobs.has([root], [types[i]])) continue;
      if (!(await blobs.take(root, await this.blob(root, Blobs.sizeOf(types[i])))))
        throw this.wrong(`sent another tensor than ${toHex(root)}`);
    }
  }

  private async blob(root: TensorRoot, size: number): Promise<Bytes> {
    const file = new Uint8Array(size);
    for (let from = 0; from < size; ) {
      const { bytes } = await this.ask({ kind: "blob", root, from }, "piece");
      if (bytes.length === 0 || bytes.length > size - from) throw this.wrong(`sent another number of bytes of ${toHex(root)}`); // prettier-ignore
      file.set(bytes, from);
      from += bytes.length;
    }
    return file;
  }

  private async reached(message: Bytes): Promise<Reply> {
    const end = performance.now() + this.patience;
    for (;;)
      try {
        const reply = await this.transport.ask(this.subject, { message, most: MOST_REPLY, timeout: ANSWER_MILLIS });
        return messages.replied(reply);
      } catch (error) {
        if (error instanceof FormatError) throw this.wrong(messageOf(error));
        if (!(error instanceof TransportError)) throw error;
        if (!PASSING.has(error.code) || performance.now() > end || this.signal?.aborted)
          throw new RoundsError("PARTICIPANT", `${this.name} can't be asked: ${messageOf(error)}; see that it runs, and continue with --resume`, { participant: this.name, code: error.code }); // prettier-ignore
        await sleep(PAUSE_MILLIS);
      }
  }

  private wrong(what: string): RoundsError {
    return new RoundsError("PARTICIPANT", `${this.name} ${what}; nothing of it is taken`, { participant: this.name });
  }
}
