/** What relays can do wrong on the wire, and what a client finds that checks a digest, or the signed root. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openFile } from "../../src/formats/file.ts";
import { blobIdOf, putIntoStore } from "../../src/blobs/upload.ts";
import type { RoundsRecord } from "../../src/rounds/index.ts";
import { alter, type Fetched, fetchByDigest, fetchByRoot, Hop, publish, relay, type Version } from "./hops.ts";

/** One cheat of the first relay, and what a client of both relays finds. */
export interface Found {
  cheat: string;
  /** With the digest that the relay announces, as SHARDCAST compares it, and with that of the origin. */
  byRelaysDigest: Fetched;
  byOriginsDigest: Fetched;
  byRoot: Fetched;
}

/** Byte of the file that is altered: one of the first weight, whose elements follow the header. */
const ALTERED = 5000;

/**
 * Publishes a record's last two rounds at an origin, brings them to two relays over HTTP, and has the first one cheat.
 * @param folder for the stores
 */
export async function cheats(
  record: RoundsRecord,
  folder: string,
): Promise<{ version: Version; liar: string; found: Found[] }> {
  const hops: Hop[] = [];
  const open = async (name: string): Promise<Hop> => {
    await mkdir(join(folder, name), { recursive: true });
    hops.push(await Hop.open(join(folder, name)));
    return hops.at(-1)!;
  };
  try {
    const [origin, liar, honest] = [await open("origin"), await open("liar"), await open("honest")];
    const { rounds } = record.plan;
    const [before, version] = [
      await publish(record, rounds - 1, "local", origin),
      await publish(record, rounds, "local", origin),
    ];
    for (const hop of [liar, honest]) for (const each of [before, version]) await relay(each, origin, hop);
    const relays = [liar, honest];
    let parts = 0;
    const client = async (cheat: string, announced: Version): Promise<Found> => ({
      cheat,
      byRelaysDigest: await fetchByDigest({ ...version, id: announced.id, size: announced.size }, relays),
      byOriginsDigest: await fetchByDigest(version, relays),
      byRoot: await fetchByRoot({ ...version, id: announced.id }, relays, join(folder, `part-${parts++}`)),
    });
    const found = [await client("none", version), await client("the weights of the round before", before)];
    // Weights of its own, under a digest of their own.
    await alter(liar, version.id, ALTERED);
    const file = await openFile(liar.store.pathOf(version.id));
    const other = { ...version, id: await blobIdOf(file) };
    await putIntoStore(liar.store, other.id, file);
    await file.close();
    found.push(await client("one byte altered", version), await client("one byte altered, and its digest", other));
    return { version, liar: liar.url, found };
  } finally {
    for (const hop of hops) await hop.close();
  }
}
