/**
 * One question over NATS. Answers come to an inbox of the question's own: a frame with all of it, or pieces
 * that are acknowledged. As long as somebody works on the answer, frames say so.
 */
import { createInbox, type Msg, type NatsConnection } from "@nats-io/transport-node";
import type { Bytes } from "../../encoding/bytes.ts";
import { messageOf, TransportError } from "../../errors/index.ts";
import { decodeFrame, Pieces, refused } from "./frames.ts";
import { expectSize, type Question } from "./transport.ts";

/** One that says nothing for so long is lost, in milliseconds. */
const SILENT_MILLIS = 10_000;
/** The status of a message that says that nobody listens. */
const NO_RESPONDERS = 503;

/** @throws {TransportError} when there is no answer */
export function askOnce(connection: NatsConnection, subject: string, question: Question): Promise<Bytes> {
  return new Promise((resolve, reject) => new Asking(connection, subject, question, resolve, reject).begin());
}

class Asking {
  private readonly connection: NatsConnection;
  private readonly subject: string;
  private readonly question: Question;
  private readonly resolve: (answer: Bytes) => void;
  private readonly reject: (error: unknown) => void;
  private readonly pieces: Pieces;
  private total: NodeJS.Timeout | undefined;
  private silence: NodeJS.Timeout | undefined;
  private stop: () => void = () => undefined;

  constructor(
    connection: NatsConnection,
    subject: string,
    question: Question,
    resolve: (answer: Bytes) => void,
    reject: (error: unknown) => void,
  ) {
    this.connection = connection;
    this.subject = subject;
    this.question = question;
    this.resolve = resolve;
    this.reject = reject;
    this.pieces = new Pieces(question.most, subject);
  }

  begin(): void {
    const { connection, subject, question } = this;
    const inbox = createInbox();
    this.total = this.after("LATE", Math.max(question.timeout, 0));
    this.waitAgain();
    try {
      const subscription = connection.subscribe(inbox, { callback: (error, message) => this.take(error, message) });
      this.stop = () => connection.isClosed() || subscription.unsubscribe();
      connection.publish(subject, new Uint8Array(question.message), { reply: inbox });
    } catch (cause) {
      this.fail(unreachable(cause));
    }
  }

  private take(error: Error | null, message: Msg): void {
    try {
      if (error) throw unreachable(error);
      this.hear(message);
    } catch (cause) {
      this.fail(cause);
    }
  }

  private hear(message: Msg): void {
    const { subject, question } = this;
    if (message.headers?.code === NO_RESPONDERS)
      throw new TransportError("NOBODY", `nobody answers for ${subject}; check that it runs`, { subject });
    this.waitAgain();
    const frame = decodeFrame(message.data);
    if (frame.kind === "working") return;
    if (frame.kind === "refused") throw refused(subject, frame.reason);
    if (frame.kind === "whole") expectSize(frame.bytes, question.most, `the answer of ${subject}`);
    const answer = frame.kind === "whole" ? frame.bytes.slice() : this.pieces.take(frame);
    if (frame.kind === "piece") message.respond();
    if (!answer) return;
    this.done();
    this.resolve(answer);
  }

  private waitAgain(): void {
    clearTimeout(this.silence);
    this.silence = this.after("UNREACHABLE", SILENT_MILLIS);
  }

  private after(subCode: "LATE" | "UNREACHABLE", millis: number): NodeJS.Timeout {
    const { subject } = this;
    const silent = (): TransportError =>
      new TransportError(subCode, `${subject} said nothing for ${millis / 1000} s`, { subject });
    return setTimeout(() => this.fail(silent()), millis);
  }

  private fail(error: unknown): void {
    this.done();
    this.reject(error);
  }

  private done(): void {
    clearTimeout(this.total);
    clearTimeout(this.silence);
    this.stop();
  }
}

export function unreachable(cause: unknown): TransportError {
  return new TransportError(
    "UNREACHABLE",
    `the NATS servers can't be reached (${messageOf(cause)}); check that they run, with JetStream`,
  );
}
