/** `verde blob serve`: offers the blobs of a folder or a bucket over HTTP. */
import { once } from "node:events";
import type { Command } from "commander";
import { UsageError } from "../errors/index.ts";
import { quote } from "../errors/text.ts";
import { isLocal } from "../services/address.ts";
import type { BlobFlags } from "./blob.ts";
import { defaultStore, storeAt } from "./blob-places.ts";
import { addListenOptions, exposure, type ListenFlags, placeOf, tlsOf } from "./listen.ts";
import { colors, reportLine, writeJson, writeLine } from "./output.ts";
import { tokensOf } from "./token.ts";
import { addWatchOptions, type WatchFlags, watchServer } from "./watched.ts";

interface ServeFlags extends BlobFlags, ListenFlags, WatchFlags {
  quota?: number;
  readOnly?: boolean;
}

export function registerServe(command: Command): void {
  addListenOptions(addWatchOptions(command), "127.0.0.1:8860")
    .option("--quota <bytes>", "the most bytes of all blobs in a folder", bytesOf)
    .option("--read-only", "take no blobs")
    .action(serve);
}

function bytesOf(text: string): number {
  const [, digits, unit = ""] = /^(\d{1,12})(|k|M|G|T)$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * 2 ** (10 * ["", "k", "M", "G", "T"].indexOf(unit));
  throw new UsageError("VALUE", `--quota ${quote(text)} is no number of bytes; write a number, with k, M, G or T after it if you like`); // prettier-ignore
}

async function serve(flags: ServeFlags): Promise<void> {
  const where = placeOf(flags.listen, "--listen");
  const place = flags.store ?? defaultStore();
  const store = await storeAt(place, flags.quota);
  const token = (await tokensOf(flags))(`http://${flags.listen}/`);
  const tls = await tlsOf(flags);
  // Anyone who reaches it could fill the disk.
  const writable = !flags.readOnly && (token !== undefined || isLocal(where.host));
  const watched = await watchServer(flags, "verde-blob", { store: place }, {}, () => undefined);
  const { serveBlobs } = await import("../services/blob-server.ts");
  const server = await serveBlobs({
    ...where,
    store,
    writable,
    ...(token !== undefined && { token }),
    ...(tls && { tls }),
    ...watched.options,
  }).catch(async (error: unknown) => {
    await watched.close();
    throw error;
  });
  const ended = Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  if (flags.json) writeJson({ schemaVersion: 1, url: server.url, store: place, writable, ...(watched.url !== undefined && { metrics: watched.url }) });
  else writeLine(`${place} is at ${colors.bold(server.url)}${writable ? "" : ", for reading only"}`, colors.dim("Ctrl-C ends it.")); // prettier-ignore
  if (!writable && !flags.readOnly)
    reportLine(`verde: blobs can only be read, because anybody who reaches ${where.host} could put some; give --token-file`); // prettier-ignore
  for (const line of exposure(where.host, true, tls !== undefined)) reportLine(line);
  await ended;
  await server.close();
  await watched.close();
}
