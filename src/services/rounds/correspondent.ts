/** Asks the other side of a plan over a network, again and again while it is away. */
import { type Bytes, toHex } from "../../encoding/bytes.ts";
import type { TensorRoot, TensorType } from "../../encoding/tensor.ts";
import { type Evidence, FormatError, messageOf, RoundsError, TransportError } from "../../errors/index.ts";
import { plainText } from "../../game/received.ts";
import { Blobs } from "../../rounds/blobs.ts";
import type { Plan } from "../../rounds/plan.ts";
import { sleep } from "../provider/sleep.ts";
import type { Transport } from "../transport/transport.ts";
import { type Asked, type AskedOfServer, messages, MOST_REPLY, PIECE, type Reply, subjectOf } from "./messages.ts";

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

/** Whether an error says that the other side was away, or the network. */
export const isAway = (error: unknown): boolean => error instanceof RoundsError && error.evidence.isAway === true;

/** A reply of one kind. */
export type Replied<K extends Reply["kind"]> = Extract<Reply, { kind: K }>;

export class Correspondent {
  /** For errors. */
  readonly name: string;
  private readonly transport: Transport;
  private readonly subject: string;
  private readonly patience: number;
  private readonly signal: AbortSignal | undefined;
  private readonly isServer: boolean;

  /**
   * @param options.name of the other side
   * @param options.patience milliseconds for which it may be away. Default: a minute
   * @param options.signal ends the waiting
   * @param options.isServer whether it serves a record: then errors have the code SERVER, and else
   *   PARTICIPANT
   */
  constructor(
    transport: Transport,
    subject: string,
    options: {
      readonly name: string;
      readonly patience?: number | undefined;
      readonly signal?: AbortSignal | undefined;
      readonly isServer?: boolean;
    },
  ) {
    this.transport = transport;
    this.subject = subject;
    this.name = options.name;
    this.patience = options.patience ?? MINUTE;
    this.signal = options.signal;
    this.isServer = options.isServer ?? false;
  }

  /** A participant of a plan, by its name. */
  static of(
    plan: Pick<Plan, "id">,
    name: string,
    { transport, ...options }: { readonly transport: Transport; readonly patience?: number | undefined; readonly signal?: AbortSignal | undefined; readonly isServer?: boolean }, // prettier-ignore
  ): Correspondent {
    return new Correspondent(transport, subjectOf(plan.id, name), { ...options, name });
  }

  /**
   * @param kinds of replies that are expected
   * @throws {RoundsError} with the code of this side, when it stays away, says why it has failed, or replies
   *   something else
   */
  async ask<K extends Reply["kind"]>(question: Asked, ...kinds: K[]): Promise<Replied<K>> {
    const reply = await this.reached(messages.ask(question));
    if ((kinds as string[]).includes(reply.kind)) return reply as Replied<K>;
    if (reply.kind !== "failed") throw this.wrong(`replied "${reply.kind}" to "${question.kind}"`);
    throw this.failure(`${this.name} has failed: ${plainText(reply.message)} (${plainText(reply.code)})`, { code: plainText(reply.code) }); // prettier-ignore
  }

  /**
   * Fetches those blobs of a state that are not there.
   * @param types of the state's entries
   * @throws {RoundsError} when there are more or fewer roots, or one is not that of a tensor of its type
   */
  async fetch(blobs: Blobs, roots: readonly TensorRoot[], types: readonly TensorType[]): Promise<void> {
    if (roots.length !== types.length) throw this.wrong(`sent ${roots.length} entries of a state, and it has ${types.length}`); // prettier-ignore
    for (const [i, root] of roots.entries()) {
      const isThere = (): Promise<boolean> => blobs.has([root], [types[i]]);
      if (await isThere()) continue;
      const isTaken = await blobs.take(root, await this.blob(root, Blobs.sizeOf(types[i])));
      if (!isTaken || !(await isThere())) throw this.wrong(`sent another tensor than ${toHex(root)}, or one of another type`); // prettier-ignore
    }
  }

  /**
   * A whole file of a record.
   * @param what names it, for errors
   * @param most the bytes that it may have
   * @throws {RoundsError} when it has more, or comes in other parts than the longest that fit
   */
  async file(part: (from: number) => AskedOfServer, what: string, most: number): Promise<Bytes> {
    let file: Bytes | undefined;
    for (let from = 0; !file || from < file.length; ) {
      const { bytes, size } = await this.ask(part(from), "part");
      if (size > most) throw this.wrong(`has ${what} with ${size} bytes, and it may have ${most}`);
      file ??= new Uint8Array(size);
      // So nobody is kept busy by parts of a byte each.
      if (size !== file.length || bytes.length !== Math.min(PIECE, size - from)) throw this.wrong(`sent another number of bytes of ${what}`); // prettier-ignore
      file.set(bytes, from);
      from += bytes.length;
    }
    return file;
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
          throw this.failure(`${this.name} can't be asked: ${messageOf(error)}; see that it runs, and ${this.isServer ? "fetch again" : "continue with --resume"}`, { code: error.code, isAway: PASSING.has(error.code) }); // prettier-ignore
        await sleep(PAUSE_MILLIS);
      }
  }

  /** An error that names it. @param what it has done, after its name */
  wrong(what: string): RoundsError {
    return this.failure(`${this.name} ${what}; nothing of it is taken`, {});
  }

  private failure(message: string, about: Evidence): RoundsError {
    return new RoundsError(this.isServer ? "SERVER" : "PARTICIPANT", message, { participant: this.name, ...about });
  }
}
