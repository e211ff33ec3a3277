/**
 * A server that answers for one run: a referee asks it what its trace commits to, over HTTP. It also hands
 * out the trace's files, by name and by content, unless it was told not to.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MAX_REQUEST, type PartyClaim } from "../referee/apart/messages.ts";
import { MEDIA_TYPE } from "../formats/http.ts";
import { PARTY_PATH } from "../referee/remote/channel.ts";
import { HostedParty, type HostedOptions } from "./hosted-party.ts";
import { addBlobs } from "./blob-server.ts";
import { traced } from "./observe/tracing.ts";
import { sendFile } from "./send-file.ts";
import { acceptBytes, addHealth, busy, bytesOf, listen, makeServer, type ServerOptions } from "./server.ts";
import { TraceBlobs } from "./trace-blobs.ts";
import { traceFiles } from "./trace-files.ts";

/** Requests that wait at once. More are told to come again. */
const MOST_WAITING = 64;

export interface ProverOptions extends HostedOptions, Omit<ServerOptions, "bodyLimit" | "requestMillis"> {
  /** Whether the trace and its data are handed out. Default: true. */
  files?: boolean;
  /** The party, if others ask it elsewhere, too. It is closed with the server. Default: one of its own. */
  party?: HostedParty;
}

export interface ProverServer {
  /** The server's address, with a slash at its end. */
  readonly url: string;
  /** What it claims. */
  readonly claim: PartyClaim;
  /** How often the process that answers was started: more than once if it was ended. */
  readonly starts: () => number;
  /** The id of that process. */
  readonly pid: () => number | undefined;
  close(): Promise<void>;
}

/**
 * @throws {DisputeError} when the trace can't be used
 * @throws {BackendError} when the port can't be opened, or the certificate can't be used
 */
export async function serveProver(options: ProverOptions): Promise<ProverServer> {
  const {
    host,
    port,
    token,
    tls,
    files = true,
    perMinute,
    logger,
    onAnswer,
    party = new HostedParty(options),
  } = options;
  const claim = await party.claim();
  try {
    const settings: ServerOptions = {
      host,
      port,
      bodyLimit: MAX_REQUEST,
      ...(token !== undefined && { token }),
      ...(tls && { tls }),
      ...(perMinute !== undefined && { perMinute }),
      ...(logger && { logger }),
      ...(onAnswer && { onAnswer }),
    };
    const server = makeServer(settings);
    acceptBytes(server, MAX_REQUEST);
    addHealth(server, () => (party.waiting < MOST_WAITING ? undefined : "too many requests wait"));
    server.post(`/${PARTY_PATH}`, async (request, reply) => {
      const body = bytesOf(request, reply);
      if (!body) return reply;
      if (party.waiting >= MOST_WAITING) return busy(reply, 503);
      const { headers } = request;
      const answered = await traced("verde.party", { bytes: body.length }, () => party.replyTo(body), headers);
      return reply.type(MEDIA_TYPE).send(Buffer.from(answered));
    });
    if (files) await addFiles(server, options.trace);
    const url = await listen(server, settings);
    return {
      url,
      claim,
      starts: () => party.starts,
      pid: () => party.pid,
      close: async () => {
        await server.close();
        await party.close();
      },
    };
  } catch (error) {
    await party.close();
    throw error;
  }
}

async function addFiles(server: FastifyInstance, trace: string): Promise<void> {
  const files = await traceFiles(trace);
  server.get("/trace", async () => files.list());
  const send = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const file = await files.find((request.params as { "*": string })["*"]);
    if (!file) return reply.code(404).send("there is no such file\n");
    reply.hijack();
    await sendFile(request.raw, reply.raw, file).catch(() => reply.raw.destroy());
    return reply;
  };
  server.route({ method: ["GET", "HEAD"], url: "/trace/*", handler: send });
  await addBlobs(server, new TraceBlobs(trace, files));
}
