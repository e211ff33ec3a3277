/** Sends files over HTTP, whole or in one range (RFC 9110, 14). */
import { createReadStream } from "node:fs";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";

/** What is used of a request, and of a response, of either version of HTTP. */
interface Request {
  readonly method?: string | undefined;
  readonly headers: Pick<IncomingHttpHeaders, "range">;
}
type Response = Pick<ServerResponse, "writeHead" | "end"> & NodeJS.WritableStream;

/** Sends a file, or the one range of it that was asked for. */
export async function sendFile(
  request: Request,
  response: Response,
  { path, size }: { path: string; size: number },
  headers: OutgoingHttpHeaders = {},
): Promise<void> {
  const part = beginRange(request, response, size, { ...headers, "accept-ranges": "bytes" });
  if (part) await pipeline(createReadStream(path, part), response);
}

/**
 * Sends the head of an answer with a file, or with the one range of it that was asked for.
 * @returns the first and the last byte that have to follow; `undefined` if the answer has ended
 */
export function beginRange(
  { method, headers: { range } }: Request,
  response: Response,
  size: number,
  headers: OutgoingHttpHeaders,
): { start: number; end: number } | undefined {
  const found = rangeIn(range, size);
  if (found === "none") {
    response.writeHead(416, { ...headers, "content-range": `bytes */${size}` }).end();
    return undefined;
  }
  // A trace that is being written may grow while it is sent.
  const { start, end } = found ?? { start: 0, end: size - 1 };
  response.writeHead(found ? 206 : 200, {
    ...headers,
    "content-type": "application/octet-stream",
    "content-length": end - start + 1,
    ...(found && { "content-range": `bytes ${start}-${end}/${size}` }),
  });
  if (method !== "HEAD" && size > 0) return { start, end };
  response.end();
  return undefined;
}

/**
 * The range that a request asks for (RFC 9110, 14.2), cut at the file's end. `undefined`: the whole file, as
 * for everything that is not one range of bytes. `none`: it begins after the file.
 */
function rangeIn(header: string | undefined, size: number): { start: number; end: number } | "none" | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (first === undefined || first + last === "") return undefined;
  // `-n`: the last n bytes.
  const start = first === "" ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  return start >= size ? "none" : { start, end };
}
