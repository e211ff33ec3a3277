/**
 * The transport over HTTP. One server, the hub, keeps the boards. Who answers has a server of its own, whose
 * address is on a board, or is in the process of the hub.
 */
import type { Bytes } from "../../encoding/bytes.ts";
import { FormatError, messageOf, TransportError, UsageError } from "../../errors/index.ts";
import { quote } from "../../errors/text.ts";
import { ask, bodyOf, isUrl, MEDIA_TYPE, serverAt, type TokenFor } from "../../formats/http.ts";
import { LONGEST_TIMER } from "../../game/play.ts";
import { decodeFrame, FRAME_BYTES, refused } from "./frames.ts";
import { decodeNotes, type Hub, serveHub } from "./hub.ts";
import { InProcess } from "./in-process.ts";
import {
  type Answerer,
  type Ending,
  expectSize,
  expectSubject,
  MOST_ASKED,
  MOST_NOTE,
  type Question,
  type Transport,
} from "./transport.ts";

/** The board with the addresses of those who answer, by their subjects. */
const ADDRESSES = "addresses";
/** Milliseconds until an address is put on the board again, which a hub that was started anew has lost. */
const AGAIN_MILLIS = 20_000;
const SERVER_MILLIS = 20_000;
/** The most bytes of an address, and of a whole board. */
const MOST_ADDRESS = 300;
const MOST_BOARD = 2 ** 28;
/** The bytes of a board with one note that are not the note's. */
const NOTE_HEAD = 2_048;
/** The most addresses that are remembered. */
const MOST_ADDRESSES = 4_096;
/** Failures after which the one who answers may be found elsewhere. */
const MOVED: ReadonlySet<string> = new Set(["VERDE_TRANSPORT_NOBODY", "VERDE_TRANSPORT_UNREACHABLE"]);

export interface HttpOptions {
  /** The token that the hub wants. */
  readonly tokenFor?: TokenFor;
  /** Where this process listens once it answers. Default: a free port of 127.0.0.1. */
  readonly listen?: { readonly host: string; readonly port: number };
  /** How others reach that place, if it is not the place itself. */
  readonly reachedAt?: string;
}

/**
 * An address as others may put it on the board: a scheme, a host and a port. With a path, a query or
 * credentials anybody could have others send requests of any form.
 */
function originOf(text: string): string | undefined {
  if (!isUrl(text) || !URL.canParse(text)) return undefined;
  const { origin, pathname, search, hash, username, password } = new URL(text);
  return pathname === "/" && `${search}${hash}${username}${password}` === "" ? origin : undefined;
}

export class Http implements Transport {
  readonly kind = "http";
  readonly address: string;
  private readonly options: HttpOptions;
  private readonly own = new InProcess();
  private server: Promise<Hub> | undefined;
  private readonly subjects = new Set<string>();
  /** Where those who were asked last answer, by their subjects. */
  private readonly addresses = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param hub the address of the hub
   * @throws {UsageError} when `reachedAt` is not `scheme://host:port`
   */
  constructor(hub: string, options: HttpOptions = {}) {
    this.address = hub.replace(/\/+$/, "");
    const { reachedAt } = options;
    if (reachedAt !== undefined && originOf(reachedAt) === undefined)
      throw new UsageError("VALUE", `${quote(reachedAt)} is no address at which others reach this; write scheme://host:port, without a path`, { found: reachedAt }); // prettier-ignore
    this.options = options;
  }

  async answer(subject: string, answerer: Answerer): Promise<Ending> {
    const end = await this.own.answer(subject, answerer);
    this.server ??= serveHub(this.own, { ...(this.options.listen ?? { host: "127.0.0.1", port: 0 }), boards: false });
    this.subjects.add(subject);
    await this.announce(subject);
    this.timer ??= setInterval(() => {
      // A hub that is away is told again later.
      for (const known of this.subjects) void this.announce(known).catch(() => undefined);
    }, AGAIN_MILLIS).unref();
    return async () => {
      this.subjects.delete(subject);
      await end();
    };
  }

  async ask(subject: string, question: Question): Promise<Bytes> {
    expectSubject(subject);
    expectSize(question.message, MOST_ASKED, "a question");
    const known = this.addresses.get(subject);
    if (known !== undefined)
      try {
        return await this.askAt(known, subject, question, {});
      } catch (error) {
        // It may have moved: its present address is asked for.
        if (!(error instanceof TransportError) || !MOVED.has(error.code)) throw error;
        this.addresses.delete(subject);
      }
    const url = await this.addressOf(subject);
    // The hub's token is for the hub alone: anybody may put an address on a board.
    if (url === undefined) return this.askAt(this.address, subject, question, this.headers());
    if (this.addresses.size >= MOST_ADDRESSES) this.addresses.delete(this.addresses.keys().next().value!);
    this.addresses.set(subject, url);
    return this.askAt(url, subject, question, {});
  }

  async post(board: string, key: string, note: Bytes): Promise<void> {
    expectSubject(board, "the name of a board");
    expectSubject(key, "a key");
    expectSize(note, MOST_NOTE, "a note");
    const url = `${this.address}/v1/boards/${board}?key=${key}`;
    await this.reached(() => ask(url, { method: "PUT", body: note, headers: this.headers(), timeout: SERVER_MILLIS }));
  }

  async notes(board: string): Promise<ReadonlyMap<string, Bytes>> {
    return this.notesAt(expectSubject(board, "the name of a board"), MOST_BOARD);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.own.close();
    await (await this.server?.catch(() => undefined))?.close();
  }

  /** The address of the one who answers under a subject; nothing if it is in the process of the hub. */
  private async addressOf(subject: string): Promise<string | undefined> {
    const note = (await this.notesAt(`${ADDRESSES}?key=${subject}`, MOST_NOTE + NOTE_HEAD)).get(subject);
    const url = note && note.length <= MOST_ADDRESS ? new TextDecoder().decode(note) : undefined;
    return url === undefined ? undefined : originOf(url);
  }

  private notesAt(path: string, most: number): Promise<ReadonlyMap<string, Bytes>> {
    const url = `${this.address}/v1/boards/${path}`;
    return this.reached(async () => {
      const response = await ask(url, { headers: this.headers(), timeout: SERVER_MILLIS });
      return decodeNotes(await bodyOf(response, url, most));
    });
  }

  private async announce(subject: string): Promise<void> {
    const url = this.options.reachedAt ?? (await this.server!).url;
    await this.post(ADDRESSES, subject, new TextEncoder().encode(url));
  }

  private headers(): Record<string, string> {
    return { "content-type": MEDIA_TYPE, ...serverAt(this.address, this.options.tokenFor).headers };
  }

  private async askAt(
    url: string,
    subject: string,
    { message, most, timeout }: Question,
    headers: Readonly<Record<string, string>>,
  ): Promise<Bytes> {
    const at = `${url.replace(/\/+$/, "")}/v1/ask?subject=${subject}`;
    const millis = Math.min(Math.max(timeout, 1), LONGEST_TIMER);
    const own = { "content-type": MEDIA_TYPE, "verde-timeout": `${Math.ceil(millis)}`, ...headers };
    const frame = await this.reached(async () => {
      const response = await ask(at, { method: "POST", body: message, headers: own, timeout: millis });
      return decodeFrame(await bodyOf(response, at, most + FRAME_BYTES + 8_192));
    });
    if (frame.kind === "refused") throw refused(subject, frame.reason);
    if (frame.kind !== "whole") throw refused(subject, "it sends no answer");
    expectSize(frame.bytes, most, `the answer of ${subject}`);
    return frame.bytes.slice();
  }

  private async reached<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (cause) {
      if (!(cause instanceof FormatError)) throw cause;
      const subCode = cause.code === "VERDE_FORMAT_MISSING" ? "NOBODY" : "UNREACHABLE";
      throw new TransportError(subCode, messageOf(cause), { address: this.address });
    }
  }
}
