/** Files of a server, read in ranges (RFC 9110, 14). Nothing here checks what the bytes are. */
import type { Bytes } from "../encoding/bytes.ts";
import { FormatError } from "../errors/index.ts";
import { ask, bodyOf, type ServerPlace } from "./http.ts";

/** The most bytes that are asked for at once. */
export const MOST_ANSWER = 2 ** 22;

/** A file of a server. */
export interface RemoteFile {
  readonly url: string;
  /** For messages. */
  readonly what: string;
  readonly headers: ServerPlace["headers"];
}

/** The bytes that the server says the file has. @throws {FormatError} when it has none, or does not say */
export async function remoteSize({ url, what, headers }: RemoteFile): Promise<number> {
  const head = await ask(url, { method: "HEAD", headers, what });
  const size = Number(head.headers.get("content-length") ?? "none");
  if (Number.isSafeInteger(size) && size >= 0) return size;
  throw new FormatError("UNREADABLE", `${what} can't be read: its server does not say how long it is`, { url });
}

/** So many bytes from a place on. @throws {FormatError} when the server does not give them */
export async function readRemote(file: RemoteFile, from: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += MOST_ANSWER)
    bytes.set(await readRange(file, from + at, Math.min(count - at, MOST_ANSWER)), at);
  return bytes;
}

async function readRange({ url, what, headers }: RemoteFile, from: number, count: number): Promise<Bytes> {
  const response = await ask(url, { headers: { ...headers, range: `bytes=${from}-${from + count - 1}` }, what });
  // A server that knows no ranges would send the whole file each time.
  if (response.status !== 206) {
    await response.body?.cancel();
    throw new FormatError("UNREADABLE", `${what} can't be read: its server sends no parts of a file`, { url });
  }
  const bytes = await bodyOf(response, what, MOST_ANSWER);
  if (bytes.length === count) return bytes;
  throw new FormatError(
    "UNREADABLE",
    `${what} can't be read: its server sent ${bytes.length} bytes, not the ${count} from ${from}`,
    { url, expected: count, found: bytes.length },
  );
}
