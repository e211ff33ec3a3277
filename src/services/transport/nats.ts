/**
 * The transport over NATS: questions and answers are requests of core NATS, and boards are a key-value bucket
 * of JetStream, which servers of a cluster keep in several copies. A connection that is lost is made again
 * for ever; what is asked meanwhile waits.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { connect, type Msg, type NatsConnection, nkeyAuthenticator } from "@nats-io/transport-node";
import type { Bytes } from "../../encoding/bytes.ts";
import { messageOf, TransportError } from "../../errors/index.ts";
import { encodeFrame, FRAME_BYTES, reasonOf } from "./frames.ts";
import { askOnce, unreachable } from "./nats-asking.ts";
import {
  type Answerer,
  type Ending,
  expectSize,
  expectSubject,
  MOST_ASKED,
  MOST_NOTE,
  MOST_NOTES,
  MOST_WAITING,
  type Question,
  type Transport,
} from "./transport.ts";

/** The first word of all subjects. */
const PREFIX = "verde.v1";
/** The bucket of all boards, and how long it keeps a note. */
const BUCKET = "verde-v1";
const KEEP_MILLIS = 14 * 86_400_000;
/** Milliseconds until a server has to answer, until JetStream has, and between two attempts to reach one. */
const SERVER_MILLIS = 20_000;
const BOARD_MILLIS = 10_000;
const RECONNECT_MILLIS = 500;
/** An answerer that is at work says so this often. */
const WORKING_MILLIS = 2_000;
/** Milliseconds before a lost question is asked again. */
const PAUSES = [100, 500, 2_000, 5_000];
/** What a message has beside its frame: its subjects and its line of protocol. */
const PROTOCOL_BYTES = 1_024;

export interface NatsOptions {
  /** The seed of the nkey that the connection is made with. */
  readonly seed?: Bytes;
}

export class Nats implements Transport {
  private readonly connection: NatsConnection;
  /** In how many servers of a cluster a new bucket is kept. */
  private readonly replicas: number;
  private bucket: Promise<KV> | undefined;
  private readonly subjects = new Set<string>();

  private constructor(connection: NatsConnection, replicas: number) {
    this.connection = connection;
    this.replicas = replicas;
  }

  /**
   * @param address of one server, or of several with commas between them
   * @throws {TransportError} UNREACHABLE when no server takes the connection
   */
  static async open(address: string, { seed }: NatsOptions = {}): Promise<Nats> {
    const servers = address.split(",").map((one) => one.trim());
    const connection = await connect({
      servers,
      name: "verde",
      timeout: SERVER_MILLIS,
      maxReconnectAttempts: -1,
      reconnectTimeWait: RECONNECT_MILLIS,
      pingInterval: SERVER_MILLIS,
      ...(seed && { authenticator: nkeyAuthenticator(new Uint8Array(seed)) }),
    }).catch((cause: unknown) => {
      throw new TransportError(
        "UNREACHABLE",
        `no NATS server takes a connection at ${address} (${messageOf(cause)}); check the address and the key`,
        { address },
      );
    });
    return new Nats(connection, servers.length >= 3 ? 3 : 1);
  }

  async answer(subject: string, answerer: Answerer): Promise<Ending> {
    expectSubject(subject);
    if (this.subjects.has(subject))
      throw new TransportError("TAKEN", `this process answers for ${subject} already; use another key`, { subject });
    this.subjects.add(subject);
    let waiting = 0;
    const subscription = this.connection.subscribe(`${PREFIX}.${subject}`, {
      callback: (error, message) => {
        if (error || !message.reply) return;
        if (waiting >= MOST_WAITING) return void respond(message, "too many questions wait; ask again later");
        waiting++;
        void this.reply(message, answerer).finally(() => waiting--);
      },
    });
    await this.reached(() => this.connection.flush());
    return async () => {
      this.subjects.delete(subject);
      subscription.unsubscribe();
    };
  }

  async ask(subject: string, { message, most, timeout }: Question): Promise<Bytes> {
    expectSubject(subject);
    expectSize(message, MOST_ASKED, "a question");
    const end = performance.now() + timeout;
    for (let tries = 0; ; tries++)
      try {
        return await askOnce(this.connection, `${PREFIX}.${subject}`, {
          message,
          most,
          timeout: end - performance.now(),
        });
      } catch (error) {
        const pause = PAUSES[tries];
        // Who was asked may be started again, or a server may have been lost with the question.
        const isLost = error instanceof TransportError && LOST.has(error.code);
        if (!isLost || pause === undefined || performance.now() + pause > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause));
      }
  }

  async post(board: string, key: string, note: Bytes): Promise<void> {
    expectSubject(board, "the name of a board");
    expectSubject(key, "a key");
    expectSize(note, MOST_NOTE, "a note");
    await this.reached(async () => (await this.boards()).put(`${board}.${key}`, new Uint8Array(note)));
  }

  async notes(board: string): Promise<ReadonlyMap<string, Bytes>> {
    expectSubject(board, "the name of a board");
    return this.reached(async () => {
      const boards = await this.boards();
      for (const pause of [...PAUSES, undefined]) {
        const expected = await this.keysOf(board);
        const found = new Map<string, Bytes>();
        for await (const { key, operation, value } of await boards.history({ key: `${board}.>` })) {
          const name = key.slice(board.length + 1);
          expected.delete(key);
          if (operation === "PUT" && value.length <= MOST_NOTE) found.set(name, value.slice());
          else found.delete(name);
          if (found.size >= MOST_NOTES) return found;
        }
        if (expected.size === 0) return found;
        if (pause !== undefined) await sleep(pause);
      }
      throw new Error("the server that was read from does not have all notes yet");
    });
  }

  /**
   * The keys of a board's notes, as the leader of the cluster knows them. Any server may be read from, and
   * one that was started again lacks what was written meanwhile, until it has caught up.
   */
  private async keysOf(board: string): Promise<Set<string>> {
    if (this.replicas === 1) return new Set();
    const manager = await jetstreamManager(this.connection, { timeout: BOARD_MILLIS, checkAPI: false });
    const prefix = `$KV.${BUCKET}.`;
    const { state } = await manager.streams.info(`KV_${BUCKET}`, { subjects_filter: `${prefix}${board}.>` });
    return new Set(Object.keys(state.subjects ?? {}).map((subject) => subject.slice(prefix.length)));
  }

  async close(): Promise<void> {
    // What was sent last is on its way; a server that is away does not hold the process up.
    const flushed = this.connection.isClosed() ? undefined : this.connection.flush().catch(() => undefined);
    await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
    await this.connection.close();
  }

  /** The bucket of the boards. It is made by the one that needs it first. */
  private async boards(): Promise<KV> {
    const opening = (this.bucket ??= new Kvm(jetstream(this.connection, { timeout: BOARD_MILLIS })).create(BUCKET, {
      history: 1,
      ttl: KEEP_MILLIS,
      replicas: this.replicas,
    }));
    return opening.catch((error: unknown) => {
      this.bucket = undefined;
      throw error;
    });
  }

  private async reached<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      if (cause instanceof TransportError) throw cause;
      throw unreachable(cause);
    }
  }

  private async reply(message: Msg, answerer: Answerer): Promise<void> {
    const working = setInterval(() => void respond(message), WORKING_MILLIS);
    try {
      const answer = await answerer(message.data.slice());
      clearInterval(working);
      await this.send(message, answer);
    } catch (error) {
      respond(message, reasonOf(error));
    } finally {
      clearInterval(working);
    }
  }

  /**
   * An answer that is longer than a message goes in pieces. Each waits until the one before it has arrived.
   */
  private async send(message: Msg, answer: Bytes): Promise<void> {
    const most = (this.connection.info?.max_payload ?? 2 ** 20) - PROTOCOL_BYTES - FRAME_BYTES;
    if (answer.length <= most) return void message.respond(encodeFrame({ kind: "whole", bytes: answer }) as Uint8Array);
    for (let offset = 0; offset < answer.length; offset += most) {
      const bytes = answer.subarray(offset, offset + most);
      const frame = encodeFrame({ kind: "piece", offset, total: answer.length, bytes });
      const sent = () => this.connection.request(message.reply!, frame as Uint8Array, { timeout: SERVER_MILLIS });
      // Once more, since the acknowledgement may have been lost. An asker that has gone needs no answer.
      if (!(await sent().then(Boolean, () => false)) && !(await sent().then(Boolean, () => false))) return;
    }
  }
}

/** Failures after which the same question may be answered. */
const LOST: ReadonlySet<string> = new Set(["VERDE_TRANSPORT_NOBODY", "VERDE_TRANSPORT_UNREACHABLE"]);

/** Says that the answer is being worked on, or why there is none. */
function respond(message: Msg, reason?: string): void {
  const frame = encodeFrame(reason === undefined ? { kind: "working" } : { kind: "refused", reason });
  try {
    message.respond(frame as Uint8Array);
  } catch {
    // The connection was closed: the asker will notice the silence.
  }
}
