/**
 * Requests to a server that nobody trusts: its answers are bounded in bytes and time, and a request is
 * repeated where the connection failed or the server is busy.
 */
import { FormatError, messageOf } from "../errors/index.ts";
import { quote } from "../errors/text.ts";

/** Milliseconds before each new try. */
const PAUSES = [250, 1000, 4000];
/** Milliseconds that one try may take, unless a request says otherwise. */
const PATIENCE = 60_000;

/** Whether a text names a server and not a file. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);
/** Whether a text names somebody who is asked, over HTTP or over NATS, and not a file. */
export const isAddress = (text: string): boolean => /^(https?|nats|tls):\/\//i.test(text);

export interface Ask {
  method?: "GET" | "HEAD" | "POST" | "PUT";
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  /** Milliseconds that one try may take. Default: a minute. */
  timeout?: number;
  /** How the server is called in errors. Default: the address. */
  what?: string;
  /** Further statuses that are answers, and no failures. */
  accept?: readonly number[];
}

/** The type of messages that are bytes. */
export const MEDIA_TYPE = "application/octet-stream";

/** Finds the token for a server, if there is one: it is sent in the header `authorization`. */
export type TokenFor = (url: string) => string | undefined;

/** How the requests to one server begin. */
export interface ServerPlace {
  /** Its address, with a slash at its end. */
  readonly base: string;
  /** The header with its token, if it wants one. */
  readonly headers: Readonly<Record<string, string>>;
}

/** @param url the address that a server prints when it starts */
export function serverAt(url: string, tokenFor?: TokenFor): ServerPlace {
  const token = tokenFor?.(url);
  return {
    base: url.endsWith("/") ? url : `${url}/`,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
}

/**
 * @returns an answer whose status is 200 to 299, or in `accept`; its body was not read yet
 * @throws {FormatError} UNREADABLE or MISSING when there is none, after the last try
 */
export async function ask(url: string, options: Ask = {}): Promise<Response> {
  const { timeout = PATIENCE, what = url, body, accept = [], ...init } = options;
  for (let tries = 1; ; tries++) {
    const isLast = tries > PAUSES.length;
    try {
      const response = await fetch(url, {
        ...init,
        ...(body && { body: new Uint8Array(body) }),
        redirect: "error",
        signal: AbortSignal.timeout(timeout),
      });
      if (response.ok || accept.includes(response.status)) return response;
      await response.body?.cancel();
      const isBusy = response.status >= 500 || response.status === 429;
      if (!isBusy || isLast) throw refused(url, what, response, tries);
    } catch (cause) {
      if (cause instanceof FormatError) throw cause;
      // A server that is silent would be as silent again.
      const isLate = cause instanceof Error && cause.name === "TimeoutError";
      if (isLast || isLate) throw unreachable(what, isLate ? `no answer within ${timeout / 1000} s` : cause, tries);
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSES[tries - 1]));
  }
}

function refused(url: string, what: string, { status, statusText }: Response, tries: number): FormatError {
  const remedy =
    status === 401 || status === 403
      ? "give its token with --token-file or VERDE_TOKEN"
      : "ask the one who runs it, or check the address";
  return new FormatError(
    status === 404 ? "MISSING" : "UNREADABLE",
    `${what} can't be read: its server answers ${status} ${quote(statusText, 80)}${times(tries)}; ${remedy}`,
    { url, status },
  );
}

/** @returns the error for a connection that failed, or took too long */
export function unreachable(what: string, cause: unknown, tries = 1): FormatError {
  const because = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return new FormatError(
    "UNREADABLE",
    `${what} can't be read: ${typeof because === "string" ? because : messageOf(because)}${times(tries)}; check the address, and that the server runs`,
    { what },
  );
}

const times = (tries: number): string => (tries > 1 ? `, tried ${tries} times` : "");

/**
 * The body of an answer.
 * @param most the most bytes; more are not read
 * @throws {FormatError} when it is longer, or ends before it should
 */
export async function bodyOf(response: Response, what: string, most: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > most)
        throw new FormatError("TOO_LARGE", `${what}: its server sent more than ${most} bytes at once`, { most });
      parts.push(part);
    }
  } catch (cause) {
    throw cause instanceof FormatError ? cause : unreachable(what, cause);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
