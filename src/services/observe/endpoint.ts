/** A server for machines that watch a service: `/health`, `/ready` and `/metrics`, on a port of its own. */
import type { Registry } from "prom-client";
import type { Place } from "../address.ts";
import { addHealth, listen, makeServer } from "../server.ts";

export interface WatchOptions extends Place {
  registry: Registry;
  /** Why the service can't do its work now. `undefined` if it can. */
  unready(): string | undefined;
}

export interface WatchServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * `/health`: the process answers. `/ready`: it can do its work, or 503 and why not.
 * @throws {BackendError} when the port can't be opened
 */
export async function serveWatch({ host, port, registry, unready }: WatchOptions): Promise<WatchServer> {
  const options = { host, port, bodyLimit: 1024 };
  const server = makeServer(options);
  addHealth(server, unready);
  server.get("/metrics", async (_, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  return { url: await listen(server, options), close: () => server.close() };
}
