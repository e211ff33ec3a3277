/**
 * A transport that others reach over HTTP: its boards, and those who answer in it. So a laptop needs no other
 * server, and a provider has an address at which it is asked.
 */
import type { FastifyReply } from "fastify";
import { type Bytes, Reader, Writer } from "../../encoding/bytes.ts";
import { TransportError } from "../../errors/index.ts";
import { acceptBytes, addHealth, bytesOf, listen, makeServer } from "../server.ts";
import { MEDIA_TYPE } from "../../formats/http.ts";
import { encodeFrame, MOST_ANSWER, reasonOf } from "./frames.ts";
import { MOST_ASKED, MOST_NOTE, MOST_NOTES, type Transport } from "./transport.ts";

const VERSION = 1;
/** The most milliseconds that a question waits for its answer. */
const MOST_MILLIS = 600_000;

export interface HubOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Who does not send this token is refused. Default: anybody is answered. */
  readonly token?: string;
  /** Whether others may read and write boards, too. Default: true. */
  readonly boards?: boolean;
  /** Requests that one address may send a minute. Default: 12000. */
  readonly perMinute?: number;
}

export interface Hub {
  /** The address, without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws {BackendError} when the port can't be opened */
export async function serveHub(transport: Transport, options: HubOptions): Promise<Hub> {
  const { host, port, token, boards = true, perMinute = 12_000 } = options;
  const bodyLimit = Math.max(MOST_ASKED, MOST_NOTE);
  const settings = { host, port, bodyLimit, perMinute, ...(token !== undefined && { token }) };
  const server = makeServer(settings);
  acceptBytes(server, bodyLimit);
  addHealth(server);
  // Parameters of a path are short; those of a query are not.
  type Named = { Params: Readonly<Record<string, string>>; Querystring: Readonly<Partial<Record<string, string>>> };
  server.post<Named>("/v1/ask", async (request, reply) => {
    const message = bytesOf(request, reply);
    if (!message) return reply;
    const timeout = Math.min(Number(request.headers["verde-timeout"]) || MOST_MILLIS, MOST_MILLIS);
    try {
      const bytes = await transport.ask(request.query.subject ?? "", { message, most: MOST_ANSWER, timeout });
      return await reply.type(MEDIA_TYPE).send(Buffer.from(encodeFrame({ kind: "whole", bytes })));
    } catch (error) {
      if (error instanceof TransportError && error.code === "VERDE_TRANSPORT_NOBODY")
        return reply.code(404).send("nobody answers\n");
      return reply.type(MEDIA_TYPE).send(Buffer.from(encodeFrame({ kind: "refused", reason: reasonOf(error) })));
    }
  });
  if (boards) {
    server.put<Named>("/v1/boards/:board", async (request, reply) => {
      const note = bytesOf(request, reply);
      if (!note) return reply;
      return tried(reply, async () => {
        await transport.post(request.params.board, request.query.key ?? "", note);
        return reply.code(204).send();
      });
    });
    server.get<Named>("/v1/boards/:board", async (request, reply) =>
      tried(reply, async () => {
        const all = await transport.notes(request.params.board);
        return reply.type(MEDIA_TYPE).send(Buffer.from(encodeNotes(wanted(all, request.query.key))));
      }),
    );
  }
  const url = await listen(server, settings);
  return {
    url: url.replace(/\/$/, ""),
    close: () => server.close(),
  };
}

/** All notes of a board, or the one that was asked for. */
function wanted(notes: ReadonlyMap<string, Bytes>, key: string | undefined): ReadonlyMap<string, Bytes> {
  if (key === undefined) return notes;
  const note = notes.get(key);
  return new Map(note ? [[key, note]] : []);
}

async function tried(reply: FastifyReply, action: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await action();
  } catch (error) {
    return reply.code(error instanceof TransportError ? 400 : 502).send(`${reasonOf(error)}\n`);
  }
}

function encodeNotes(notes: ReadonlyMap<string, Bytes>): Bytes {
  const writer = new Writer().u8(VERSION).u32(notes.size);
  for (const [key, note] of notes) writer.text(key).blob(note);
  return writer.finish();
}

/** @throws {FormatError} for bytes that `encodeNotes` did not write */
export function decodeNotes(bytes: Bytes): Map<string, Bytes> {
  const reader = new Reader(bytes, "a board");
  if (reader.u8() !== VERSION) throw reader.error("VERSION", "another version of the encoding");
  const entries = reader.list(() => [reader.text(), reader.blob().slice()] as const, 8);
  reader.end();
  if (entries.length > MOST_NOTES) throw reader.error("TOO_LARGE", `${entries.length} notes`);
  return new Map(entries);
}
