/** Traces by the name that a user gives: a file, or the address of a server. */
import { FormatError } from "../errors/index.ts";
import { isAddress, isUrl, type TokenFor } from "../formats/http.ts";
import { openTrace, watchedSource } from "./folder.ts";
import type { Trace } from "./open.ts";
import type { TraceSource } from "./source.ts";
import { openTraceAt, urlSource } from "./url-source.ts";

/**
 * @param place a path, or an address as `verde serve` and `verde prove` print it
 * @throws {FormatError} when there is no trace, or it contradicts itself
 */
export async function openAnyTrace(place: string, tokenFor?: TokenFor): Promise<Trace> {
  return isUrl(place) ? openTraceAt(place, tokenFor) : openTrace(expectFile(place));
}

/** @throws {FormatError} when nothing at the address serves a trace */
export async function anySource(place: string, tokenFor?: TokenFor): Promise<TraceSource> {
  return isUrl(place) ? urlSource(place, tokenFor) : watchedSource(expectFile(place));
}

function expectFile(place: string): string {
  if (!isAddress(place)) return place;
  throw new FormatError(
    "UNREADABLE",
    `${place} answers questions, and hands out no files: they come over HTTP alone; name the address that \`verde prove\` prints`,
    { path: place },
  );
}
