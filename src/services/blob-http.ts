/** What answers about blobs have in common. */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { BlobId } from "../blobs/id.ts";

/** What is used of a request, and of a response, of either version of HTTP. */
export interface BlobRequest extends AsyncIterable<Uint8Array> {
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}
export type BlobResponse = Pick<ServerResponse, "writeHead" | "end" | "headersSent"> & NodeJS.WritableStream;

/** The tag of a blob: it never changes. */
export const etagOf = (id: BlobId): string => `"sha256:${id}"`;

/** A short text as an answer. */
export function say(
  response: BlobResponse,
  status: number,
  text: string,
  headers: Record<string, string | number> = {},
): void {
  // prettier-ignore
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...headers });
  response.end(`${text}\n`);
}
