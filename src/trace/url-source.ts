/**
 * A trace that a server has, as `verde serve` serves it: its files are read in ranges, when they are needed.
 * Nothing that the server says is believed: what is read is checked against the trace's own hashes.
 */
import { FormatError } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { ask, bodyOf, serverAt, type ServerPlace, type TokenFor } from "../formats/http.ts";
import { readTrace, type Trace } from "./open.ts";
import { dataFolder, isDataFile, isStopped, type TraceSource } from "./source.ts";

/** The most bytes of one answer. */
const MOST_ANSWER = 2 ** 24;
/** The most files of a data folder that are looked at. */
const MOST_NAMES = 2 ** 20;
/**
 * Opens a trace that a server has.
 * @param url the address that `verde serve` prints
 * @throws {FormatError} when the server has no trace or can't be asked, or the trace contradicts itself
 */
export async function openTraceAt(url: string, tokenFor?: TokenFor): Promise<Trace> {
  return readTrace(await urlSource(url, tokenFor));
}

/** @throws {FormatError} when nothing at the address serves a trace */
export async function urlSource(url: string, tokenFor?: TokenFor): Promise<TraceSource> {
  const { base, headers } = serverAt(url, tokenFor);
  const answer = await ask(`${base}trace`, { headers });
  const listing = new TextDecoder().decode(await bodyOf(answer, `${base}trace`, MOST_ANSWER));
  const { path, files } = parseListing(listing, url);
  const name = `${base}${path}`;
  return {
    path: name,
    trace: () => openUrl(`${base}trace/trace`, name, headers),
    names: async () => files,
    open: (file) => openUrl(`${base}trace/data/${encodeURIComponent(file)}`, `${dataFolder(name)}/${file}`, headers),
  };
}

function parseListing(text: string, url: string): { path: string; files: string[] } {
  const wrong = (what: string): FormatError =>
    new FormatError("KIND", `${url} ${what}; name the address that \`verde serve TRACE\` prints`, { url });
  let listing: { path?: unknown; files?: unknown } | null;
  try {
    listing = JSON.parse(text) as typeof listing;
  } catch {
    throw wrong("does not serve a trace: its answer is no listing");
  }
  if (listing === null) throw wrong("serves the page, and no trace");
  const { path, files } = listing;
  const isName = (value: unknown): value is string => typeof value === "string" && /^[^/\\]{1,255}$/.test(value);
  if (!isName(path) || !Array.isArray(files) || files.length > MOST_NAMES || !files.every(isName))
    throw wrong("does not serve a trace: its listing is malformed");
  return { path, files: files.filter((file) => isDataFile(file) || isStopped(file)) };
}

type Headers = ServerPlace["headers"];

async function openUrl(url: string, what: string, headers: Headers): Promise<ByteSource> {
  const head = await ask(url, { method: "HEAD", headers, what });
  const size = Number(head.headers.get("content-length") ?? "none");
  if (!Number.isSafeInteger(size) || size < 0)
    throw new FormatError("UNREADABLE", `${what} can't be read: its server does not say how long it is`, { url });
  return {
    size,
    read: async (from, length) => {
      const bytes = new Uint8Array(Math.max(Math.min(length, size - from), 0));
      for (let at = 0; at < bytes.length; at += MOST_ANSWER) {
        const count = Math.min(bytes.length - at, MOST_ANSWER);
        bytes.set(await readRange({ url, what, headers }, from + at, count), at);
      }
      return bytes;
    },
    close: async () => undefined,
  };
}

async function readRange(
  { url, what, headers }: { url: string; what: string; headers: Headers },
  from: number,
  count: number,
): Promise<Uint8Array> {
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
