/** Answers requests for blobs over HTTP: `/blob/sha256/…`. Nothing here knows which server they reach. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type BlobId, isBlobId } from "../blobs/id.ts";
import { BLOB_PATH, MOST_NODES } from "../blobs/source.ts";
import type { BlobReader, BlobStore } from "../blobs/store.ts";
import { TensorTrees } from "../blobs/tensor-trees.ts";
import { OFFSET_HEADER } from "../blobs/upload.ts";
import { FormatError, messageOf } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { type BlobRequest, type BlobResponse, etagOf, say } from "./blob-http.ts";
import { receiveBlob } from "./blob-receive.ts";
import { beginRange } from "./send-file.ts";

/** Bytes that are read and sent at once. */
const PIECE = 2 ** 20;
/** Blobs whose trees are kept. */
const MOST_TREES = 4;
/** The most blobs of a list. */
const MOST_LISTED = 100_000;

export class BlobAnswers {
  private readonly blobs: BlobReader;
  private readonly store: BlobStore | undefined;
  private readonly trees = new Map<BlobId, Promise<TensorTrees>>();

  /** @param store where blobs may be put. Default: nowhere */
  constructor(blobs: BlobReader, store?: BlobStore) {
    this.blobs = blobs;
    this.store = store;
  }

  /** @param path below the server's address, without a slash before it */
  async answer(request: BlobRequest, response: BlobResponse, path: string): Promise<void> {
    const rest = path.slice(BLOB_PATH.length + 1);
    if (path === BLOB_PATH || rest === "") return this.list(request, response);
    const [, id, row] = /^([0-9a-f]{64})(?:\/(roots|tree\/\d{1,7}\/\d{1,2}\/\d{1,10}-\d{1,10}))?$/.exec(rest) ?? [];
    if (id === undefined || !isBlobId(id)) return say(response, 404, "there is no such blob");
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (row !== undefined) return isRead ? this.row(response, id, row) : say(response, 405, "nodes can only be read");
    if (isRead) return this.send(request, response, id);
    if (request.method !== "PUT" || !this.store) return say(response, 405, "blobs can only be read here");
    return receiveBlob(request, response, this.store, id);
  }

  /** Closes the files that are open for trees. */
  async close(): Promise<void> {
    for (const trees of this.trees.values()) await trees.then((made) => made.close()).catch(() => undefined);
    this.trees.clear();
  }

  private async list({ method }: BlobRequest, response: BlobResponse): Promise<void> {
    if (method !== "GET") return say(response, 405, "the list can only be read");
    const blobs: unknown[] = [];
    for await (const { id, size } of this.blobs.list()) {
      blobs.push({ id, size });
      if (blobs.length === MOST_LISTED) break;
    }
    const body = JSON.stringify({ schemaVersion: 1, blobs });
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  }

  private async send({ method, headers }: BlobRequest, response: BlobResponse, id: BlobId): Promise<void> {
    const source = await this.blobs.open(id).catch(absent);
    if (!source) {
      const offset = await this.store?.partOf(id);
      return say(response, 404, "there is no such blob", offset === undefined ? {} : { [OFFSET_HEADER]: offset });
    }
    try {
      const common = { etag: etagOf(id), "cache-control": "public, max-age=31536000, immutable", "accept-ranges": "bytes" }; // prettier-ignore
      if (names(headers["if-none-match"], id)) return void response.writeHead(304, common).end();
      // A range of another version is no use to anyone, and there is no other version of these bytes.
      const isSame = headers["if-range"] === undefined || names(headers["if-range"], id);
      const request = { method, headers: { range: isSame ? headers.range : undefined } };
      const part = beginRange(request, response, source.size, common);
      if (part) await pipeline(Readable.from(pieces(source, part.start, part.end)), response);
    } finally {
      await source.close();
    }
  }

  private async row(response: BlobResponse, id: BlobId, path: string): Promise<void> {
    try {
      const trees = await this.treesOf(id);
      const [tensor, height, from, to] = path === "roots" ? [] : path.split(/[/-]/).slice(1).map(Number);
      if (to !== undefined && !(from < to && to - from <= MOST_NODES)) return say(response, 400, `ask for 1 to ${MOST_NODES} nodes`); // prettier-ignore
      const nodes = to === undefined ? await trees.roots() : await trees.row(tensor, height, from, to);
      const body = Buffer.concat(nodes);
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": body.length });
      response.end(body);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      say(response, 404, `there are no such nodes: ${messageOf(error)}`);
    }
  }

  private treesOf(id: BlobId): Promise<TensorTrees> {
    const known = this.trees.get(id);
    if (known) return known;
    const made = this.blobs.open(id).then((file) =>
      TensorTrees.over(file, "it").catch(async (error: unknown) => {
        await file.close();
        throw error;
      }),
    );
    for (const [oldest, trees] of this.trees) {
      if (this.trees.size < MOST_TREES) break;
      this.trees.delete(oldest);
      void trees.then((old) => old.close()).catch(() => undefined);
    }
    this.trees.set(id, made);
    made.catch(() => this.trees.delete(id));
    return made;
  }
}

const names = (header: string | string[] | undefined, id: BlobId): boolean => `${header}`.includes(etagOf(id));

async function* pieces(source: ByteSource, start: number, end: number): AsyncGenerator<Uint8Array> {
  for (let at = start; at <= end; at += PIECE) {
    const bytes = await source.read(at, Math.min(PIECE, end - at + 1));
    if (bytes.length === 0) throw new FormatError("TRUNCATED", "the blob was cut while it was sent; ask again");
    yield bytes;
  }
}

function absent(error: unknown): undefined {
  if (error instanceof FormatError && error.code === "VERDE_FORMAT_MISSING") return undefined;
  throw error;
}
