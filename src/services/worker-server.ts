/** A server that computes shards of training steps for a coordinator, over HTTP. */
import { MEDIA_TYPE } from "../formats/http.ts";
import { SHARDS_PATH } from "../shards/http-channel.ts";
import { ShardService, type ServiceOptions as WorkOptions } from "../shards/service.ts";
import { acceptBytes, addHealth, busy, bytesOf, listen, makeServer, type ServerOptions } from "./server.ts";

/** Messages that wait at once. More are told to come again. */
const MOST_WAITING = 4;
/** A coordinator sends its messages as fast as they are answered. */
const PER_MINUTE = 1e9;
/** Milliseconds that a coordinator has to send a message: the first one holds the dataset. */
const REQUEST_MILLIS = 600_000;

export interface WorkerServerOptions extends Omit<ServerOptions, "bodyLimit" | "requestMillis">, WorkOptions {
  /** The most bytes of a message. */
  most: number;
}

export interface WorkerServer {
  /** The server's address, with a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws {BackendError} when the port can't be opened, or the certificate can't be used */
export async function serveWorker(options: WorkerServerOptions): Promise<WorkerServer> {
  const { most: bodyLimit, perMinute = PER_MINUTE } = options;
  const shards = new ShardService(options);
  const settings: ServerOptions = { ...options, bodyLimit, perMinute, requestMillis: REQUEST_MILLIS };
  const server = makeServer(settings);
  acceptBytes(server, bodyLimit);
  addHealth(server);
  server.post(`/${SHARDS_PATH}`, async (request, reply) => {
    const body = bytesOf(request, reply);
    if (!body) return reply;
    if (shards.waiting >= MOST_WAITING) return busy(reply, 503);
    return reply.type(MEDIA_TYPE).send(Buffer.from(await shards.replyTo(body)));
  });
  return {
    url: await listen(server, settings),
    close: async () => {
      await server.close();
      await shards.close();
    },
  };
}
