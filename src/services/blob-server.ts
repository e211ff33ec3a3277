/** Blobs on a fastify server: the routes that others have too, and a server of its own for a store. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { BLOB_PATH } from "../blobs/source.ts";
import type { BlobReader, BlobStore } from "../blobs/store.ts";
import { BlobAnswers } from "./blob-answer.ts";
import { addHealth, listen, makeServer, type ServerOptions } from "./server.ts";

/** Milliseconds for one piece of an upload. */
const PIECE_MILLIS = 600_000;

/**
 * Adds `/blob/sha256/…`.
 * @param store where blobs may be put. Default: nowhere
 */
export async function addBlobs(server: FastifyInstance, blobs: BlobReader, store?: BlobStore): Promise<void> {
  const answers = new BlobAnswers(blobs, store);
  server.addHook("onClose", () => answers.close());
  await server.register(async (scope) => {
    // The bytes of an upload are taken as they arrive.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      reply.hijack();
      const path = request.url.split("?", 1)[0].slice(1);
      await answers.answer(request.raw, reply.raw, path).catch((error: unknown) => {
        request.log.error({ err: error }, "a blob can't be answered for");
        // The client has gone, or the file was removed while it was read.
        if (reply.raw.headersSent) reply.raw.destroy();
        else reply.raw.writeHead(500).end();
      });
      return reply;
    };
    const method = ["GET", "HEAD", ...(store ? ["PUT"] : [])];
    scope.route({ method, url: `/${BLOB_PATH}`, handler });
    scope.route({ method, url: `/${BLOB_PATH}/*`, handler });
  });
}

export interface BlobServerOptions extends Omit<ServerOptions, "bodyLimit" | "requestMillis"> {
  store: BlobStore;
  /** Whether blobs may be put. Default: true. */
  writable?: boolean;
}

export interface BlobServer {
  /** The server's address, with a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws {BackendError} when the port can't be opened, or the certificate can't be used */
export async function serveBlobs({ store, writable = true, ...options }: BlobServerOptions): Promise<BlobServer> {
  const settings: ServerOptions = { ...options, bodyLimit: 2 ** 20, requestMillis: PIECE_MILLIS };
  const server = makeServer(settings);
  addHealth(server);
  await addBlobs(server, store, writable ? store : undefined);
  return { url: await listen(server, settings), close: () => server.close() };
}
