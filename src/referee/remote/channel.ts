/** The way to a party on a server, as `verde prove` runs one: each request is a POST, each reply its body. */
import type { Bytes } from "../../encoding/bytes.ts";
import { FormatError, messageOf } from "../../errors/index.ts";
import { ask, bodyOf, MEDIA_TYPE, serverAt, type TokenFor } from "../../formats/http.ts";
import { ANSWER_MILLIS, LONGEST_TIMER } from "../../game/play.ts";
import { decodeReply, type PartyFailure, replyBound } from "../apart/messages.ts";
import type { Channel } from "../apart/reached.ts";

/** How a party on a server is asked. */
export interface RemoteOptions {
  /** The most milliseconds for one answer. Default: ten minutes. */
  timeout?: number;
  /** The token that a server wants. */
  tokenFor?: TokenFor;
}

/** The path below the server's address. */
export const PARTY_PATH = "party";
/** What says that a server is away, and not that it has sent something wrong. */
const AWAY: ReadonlySet<string> = new Set(["VERDE_FORMAT_UNREADABLE", "VERDE_FORMAT_MISSING"]);

export class RemoteChannel implements Channel {
  private readonly url: string;
  private readonly timeout: number;
  private readonly headers: Readonly<Record<string, string>>;

  /** @param url the address that `verde prove` prints */
  constructor(url: string, { timeout = ANSWER_MILLIS, tokenFor }: RemoteOptions = {}) {
    const { base, headers } = serverAt(url, tokenFor);
    this.url = `${base}${PARTY_PATH}`;
    this.timeout = Math.min(timeout, LONGEST_TIMER);
    this.headers = { "content-type": MEDIA_TYPE, ...headers };
  }

  async request(message: Bytes, most: number): Promise<Bytes | PartyFailure> {
    const { url, timeout, headers } = this;
    try {
      const response = await ask(url, { method: "POST", body: message, headers, timeout, what: url });
      return decodeReply(await bodyOf(response, url, replyBound(most)));
    } catch (error) {
      // Whether the server is away, or has sent what is no reply.
      const isAway = error instanceof FormatError && AWAY.has(error.code);
      return { code: isAway ? "UNREACHABLE" : "MALFORMED", message: messageOf(error) };
    }
  }

  async close(): Promise<void> {}
}
