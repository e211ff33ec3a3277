/** Workers that are reached over HTTP: each message is a POST, each reply its body. */
import type { IncomingMessage } from "node:http";
import type { Bytes } from "../encoding/bytes.ts";
import { MEDIA_TYPE, serverAt, type TokenFor } from "../formats/http.ts";
import type { Channel, WorkerAddress } from "./channel.ts";

/** The path below a worker's address. */
export const SHARDS_PATH = "shards";

/**
 * A worker at an address.
 * @param url of `verde worker`
 * @param tokenFor the token that it wants
 */
export function workerAt(url: string, tokenFor: TokenFor = () => undefined): WorkerAddress {
  return { name: url, connect: async () => httpChannel(url, tokenFor(url)) };
}

/** A connection that stays open between messages. */
export function httpChannel(url: string, token: string | undefined): Channel {
  const { base, headers: authorization } = serverAt(url, () => token);
  const target = new URL(SHARDS_PATH, base);
  // Not imported by name: that would load all that these modules export, and each command would start later.
  const library = process.getBuiltinModule(target.protocol === "https:" ? "node:https" : "node:http");
  const agent = new library.Agent({ keepAlive: true, maxSockets: 1 });
  const send: Channel["send"] = (message, most, signal) =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": MEDIA_TYPE, "content-length": message.length, ...authorization };
      const request = library.request(target, { method: "POST", agent, headers, signal }, (response) => {
        bodyOf(response, most).then(resolve, (error: unknown) => {
          request.destroy();
          reject(error as Error);
        });
      });
      request.on("error", (error: NodeJS.ErrnoException) => {
        // The worker has closed an idle connection in this moment. A message may be sent twice.
        if (request.reusedSocket && error.code === "ECONNRESET" && !signal.aborted)
          send(message, most, signal).then(resolve, reject);
        else reject(error);
      });
      request.end(message);
    });
  return { send, close: async () => agent.destroy() };
}

/** @throws {Error} for another status than 200, and when it is longer; then the rest is not read */
async function bodyOf(response: IncomingMessage, most: number): Promise<Bytes> {
  if (response.statusCode !== 200) {
    const hint = response.statusCode === 401 ? "; give its token with --token-file or VERDE_TOKEN" : "";
    throw new Error(`its server answers ${response.statusCode}${hint}`);
  }
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > most) throw new Error(`it sends more than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts);
}
