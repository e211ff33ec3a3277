/**
 * A trace that a server has, as `verde serve` serves it: its files are read in ranges, when they are needed.
 * Nothing that the server says is believed: what is read is checked against the trace's own hashes.
 */
import { FormatError } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { readRemote, remoteSize } from "../formats/http-ranges.ts";
import { ask, bodyOf, serverAt, type ServerPlace, type TokenFor } from "../formats/http.ts";
import { readTrace, type Trace } from "./open.ts";
import { dataFolder, isDataFile, isStopped, type TraceSource } from "./source.ts";

/** The most bytes of a listing. */
const MOST_LISTING = 2 ** 24;
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
  const listing = new TextDecoder().decode(await bodyOf(answer, `${base}trace`, MOST_LISTING));
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

async function openUrl(url: string, what: string, headers: ServerPlace["headers"]): Promise<ByteSource> {
  const file = { url, what, headers };
  const size = await remoteSize(file);
  return {
    size,
    read: (from, length) => readRemote(file, from, Math.max(Math.min(length, size - from), 0)),
    close: async () => undefined,
  };
}
