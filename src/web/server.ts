/** The server of `verde serve`: it only reads, and it serves only the page, its modules and one trace. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import type { Assets } from "./modules.ts";
import { type Place, portError, urlAt } from "../services/address.ts";
import { BLOB_PATH } from "../blobs/source.ts";
import { BlobAnswers } from "../services/blob-answer.ts";
import { TraceBlobs } from "../services/trace-blobs.ts";
import { sendFile } from "../services/send-file.ts";
import type { TraceFiles } from "../services/trace-files.ts";

const PAGE = "/src/web/page/index.html";

/** The page may run its own modules and the WebAssembly that it generates, and talk only to this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  // Threads of WebAssembly start from a text.
  "worker-src 'self' blob:",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS = {
  "content-security-policy": POLICY,
  // Both together isolate the page from other origins, so that its threads may share memory.
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-cache",
} as const;

export interface ServeOptions extends Place {
  assets: Assets;
  trace?: TraceFiles;
}

export interface PageServer {
  /** The page's address, with a slash at its end. */
  url: string;
  close(): Promise<void>;
}

/** @throws {BackendError} when the port can't be opened */
export async function startServer(options: ServeOptions): Promise<PageServer> {
  const { host, port } = options;
  const blobs = options.trace && new BlobAnswers(new TraceBlobs("the trace", options.trace));
  // Not imported by name: that would load all that this module exports, and each command would start later.
  const { createServer } = process.getBuiltinModule("node:http");
  const server = createServer((request, response) => {
    answer(request, response, options, blobs).catch(() => {
      // The file was removed while it was read, or the browser closed the connection.
      if (response.headersSent) response.destroy();
      else refuse(response, 500, "this file can't be read");
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(portError({ host, port }, error)));
    server.listen(port, host, resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: urlAt("http", { host, port: actual }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve(blobs?.close()));
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServeOptions,
  blobs: BlobAnswers | undefined,
): Promise<void> {
  if (!isOwnName(request.headers.host, options.host))
    return refuse(response, 421, "this server answers only to its own address");
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse(response, 405, "this server can only be read from");
  const path = (request.url ?? "/").split("?", 1)[0];
  if (path === "/trace")
    return send(response, "application/json", JSON.stringify((await options.trace?.list()) ?? null));
  if (path.startsWith("/trace/")) {
    const file = await options.trace?.find(path.slice("/trace/".length));
    if (!file) return refuse(response, 404, "there is no such file");
    return sendFile(request, response, file, HEADERS);
  }
  if (blobs && path.startsWith(`/${BLOB_PATH}`)) {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    return blobs.answer(request, response, path.slice(1));
  }
  const asset = options.assets(path === "/" ? PAGE : path);
  if (!asset) return refuse(response, 404, "there is no such file");
  send(response, `${asset.type}; charset=utf-8`, asset.body);
}

/**
 * Another site may point a name of its own at this address, and so read what is served here as if it were its
 * own. It can't do that with an address, or with the names that mean this machine.
 */
function isOwnName(header: string | undefined, host: string): boolean {
  const name = header?.replace(/:\d+$/, "") ?? "";
  return name === "localhost" || name === host || isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0;
}

function send(response: ServerResponse, type: string, body: string): void {
  response.writeHead(200, { ...HEADERS, "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { ...HEADERS, "content-type": "text/plain; charset=utf-8" });
  response.end(`${why}\n`);
}
