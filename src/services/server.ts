/** What the servers of Verde have in common: HTTP or HTTPS, a token, and limits on what a client may ask. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { AddressInfo } from "node:net";
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Bytes } from "../encoding/bytes.ts";
import { BackendError, messageOf } from "../errors/index.ts";
import { MEDIA_TYPE } from "../formats/http.ts";
import { type Place, portError, urlAt } from "./address.ts";
import { RateLimit } from "./rate-limit.ts";

/** Seconds after which a busy server may be asked again. */
const RETRY_AFTER = "2";
/** Milliseconds that a client has to send a request, and that an idle connection is kept. */
const REQUEST_MILLIS = 30_000;
const KEEP_ALIVE_MILLIS = 10_000;
/** What a machine that watches the server asks. It has no token, and learns nothing but that. */
const OPEN: ReadonlySet<string> = new Set(["/health", "/ready"]);

export interface ServerOptions extends Place {
  /** Who does not send this token is refused. Default: anybody is answered. */
  token?: string;
  /** A certificate and its key, in PEM. Then the server speaks HTTPS, in both versions of HTTP. */
  tls?: { cert: string; key: string };
  /** Requests that one address may send a minute. Default: 6000; a dispute takes some hundred. */
  perMinute?: number;
  /** Who is told of each request. Default: nobody. */
  logger?: FastifyBaseLogger;
  /** Is told of each answer: the route, the method, the status, and the seconds since the request arrived. */
  onAnswer?(route: string, method: string, status: number, seconds: number): void;
  /** The most bytes of a request's body, where a route does not say otherwise. */
  bodyLimit: number;
  /** Milliseconds that a client has to send a request. Default: half a minute; 0: any time. */
  requestMillis?: number;
}

/** @throws {BackendError} when the certificate can't be used */
export function makeServer(options: ServerOptions): FastifyInstance {
  const { token, tls, perMinute = 6000, logger, bodyLimit, requestMillis = REQUEST_MILLIS } = options;
  const settings = {
    ...(logger ? { loggerInstance: logger } : { logger: false as const }),
    bodyLimit,
    requestTimeout: requestMillis,
    keepAliveTimeout: KEEP_ALIVE_MILLIS,
    forceCloseConnections: true,
    // Only what this server names is found, and nothing about it is told.
    exposeHeadRoutes: false,
  };
  let server: FastifyInstance;
  try {
    const secure = { ...settings, http2: true, https: { ...tls, allowHTTP1: true } } as const;
    server = (tls ? fastify(secure) : fastify(settings)) as unknown as FastifyInstance;
  } catch (cause) {
    throw new BackendError("PORT", `the certificate can't be used: ${messageOf(cause)}; give one and its key, in PEM`);
  }
  const limit = new RateLimit(perMinute);
  server.addHook("onRequest", async (request, reply) => {
    if (OPEN.has(request.url)) return;
    if (!limit.take(request.ip)) return busy(reply, 429);
    if (token !== undefined && !isToken(request.headers.authorization, token))
      return reply.code(401).header("www-authenticate", "Bearer").send("this server wants its token\n");
  });
  server.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    options.onAnswer?.(route, request.method, reply.raw.statusCode, reply.elapsedTime / 1000);
  });
  return server;
}

/**
 * Adds `/health`: the process answers; and `/ready`: it can do its work, or 503 and why not.
 * @param unready why it can't do its work now. Default: it always can
 */
export function addHealth(server: FastifyInstance, unready: () => string | undefined = () => undefined): void {
  server.get("/health", async () => ({ ok: true }));
  server.get("/ready", async (_, reply) => {
    const why = unready();
    return why === undefined ? { ready: true } : reply.code(503).send({ ready: false, why });
  });
}

/** Takes bodies that are bytes. `bytesOf` gives them. */
export function acceptBytes(server: FastifyInstance, bodyLimit: number): void {
  server.addContentTypeParser(MEDIA_TYPE, { parseAs: "buffer", bodyLimit }, (_, body, done) => done(null, body));
}

/** The body of a request; nothing, and the answer says so, when it is not bytes. */
export function bytesOf({ body }: FastifyRequest, reply: FastifyReply): Bytes | undefined {
  if (body instanceof Uint8Array) return body;
  void reply.code(415).send(`send ${MEDIA_TYPE}\n`);
  return undefined;
}

/** Tells a client to come again. */
export function busy(reply: FastifyReply, code: 429 | 503): FastifyReply {
  return reply.code(code).header("retry-after", RETRY_AFTER).send("too many requests; come again\n");
}

/**
 * @returns the server's address, with a slash at its end
 * @throws {BackendError} when the port can't be opened
 */
export async function listen(server: FastifyInstance, { host, port, tls }: ServerOptions): Promise<string> {
  try {
    await server.listen({ host, port });
  } catch (error) {
    throw portError({ host, port }, error as NodeJS.ErrnoException);
  }
  return urlAt(tls ? "https" : "http", { host, port: (server.server.address() as AddressInfo).port });
}

/** Compares hashes, so that the time tells nothing about the token. */
function isToken(header: string | undefined, token: string): boolean {
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(header ?? ""), hash(`Bearer ${token}`));
}
