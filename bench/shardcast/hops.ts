/**
 * The hops of SHARDCAST over HTTP: weights are published as a blob, relays fetch it from the origin, and clients from
 * relays. A client can check the digest of the whole, as SHARDCAST does, or each chunk against the root that the
 * origin has signed.
 */
import { createHash } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BadChunk, fetchTensors } from "../../src/blobs/fetch-tensors.ts";
import { FolderStore } from "../../src/blobs/folder-store.ts";
import type { BlobId } from "../../src/blobs/id.ts";
import { PartFile } from "../../src/blobs/part-file.ts";
import { ServerSource } from "../../src/blobs/source.ts";
import { blobIdOf, putIntoStore } from "../../src/blobs/upload.ts";
import { type StateRoot, stateRoot } from "../../src/encoding/tensor.ts";
import { FormatError } from "../../src/errors/index.ts";
import { openFile } from "../../src/formats/file.ts";
import { writeSafetensors } from "../../src/formats/safetensors-file.ts";
import type { RoundsRecord } from "../../src/rounds/index.ts";
import { stateOf } from "../../src/rounds/template.ts";
import { type BlobServer, serveBlobs } from "../../src/services/blob-server.ts";

/** The bytes of a shard: SHARDCAST has 50 MB, for models that are larger. */
export const SHARD = 8192;

/** Weights as they are announced: the digest of the file, and the root of its tensors. */
export interface Version {
  id: BlobId;
  root: StateRoot;
  size: number;
}

/** A place that serves blobs over HTTP: the origin, or a relay. */
export class Hop {
  readonly store: FolderStore;
  private readonly server: BlobServer;

  private constructor(store: FolderStore, server: BlobServer) {
    this.store = store;
    this.server = server;
  }

  static async open(folder: string): Promise<Hop> {
    const store = new FolderStore(folder);
    return new Hop(store, await serveBlobs({ host: "127.0.0.1", port: 0, store, writable: false }));
  }

  get url(): string {
    return this.server.url;
  }

  close(): Promise<void> {
    return this.server.close();
  }
}

/** The weights that a seat has handed on in a round, put into the store of a hop. */
export async function publish(record: RoundsRecord, round: number, turn: string, hop: Hop): Promise<Version> {
  const { plan } = record;
  const seat = plan.seats.findIndex((each) => plan.turns[each.turn].name === turn);
  const { roots, tensors } = await record.state(record.at({ round, seat })!);
  // The origin's state has its moments too. All roots of it are opened from the state that it has signed.
  const types = stateOf(plan.templates[plan.seats[seat].template]);
  const own = [...types.keys()].filter((i) => types[i].name.startsWith("digit."));
  const path = join(hop.store.name, `round-${round}.safetensors`);
  await writeSafetensors(path, own.map((i) => ({ ...tensors[i], name: types[i].name }))); // prettier-ignore
  const file = await openFile(path);
  const id = await blobIdOf(file);
  await putIntoStore(hop.store, id, file);
  await file.close();
  await rm(path);
  return { id, root: stateRoot(own.map((i) => roots[i])), size: file.size };
}

/** What a fetch has found. */
export interface Fetched {
  /** Whether the client has the weights in the end. */
  taken: boolean;
  /** The bytes of blobs that were read, of which those of the file itself are needed. */
  read: number;
  /** The bytes of roots and nodes that were read beside them. */
  hashes: number;
  /** Chunks that a place has sent wrong, and what else was wrong. */
  bad: readonly BadChunk[];
  troubles: readonly string[];
  millis: number;
}

/** A server whose bytes are counted. */
class Counted extends ServerSource {
  bytes = 0;
  hashes = 0;
  override async read(id: BlobId, from: number, count: number) {
    const bytes = await super.read(id, from, count);
    this.bytes += bytes.length;
    return bytes;
  }
  override async roots(id: BlobId) {
    return this.counted(await super.roots(id));
  }
  override async row(id: BlobId, tensor: number, height: number, from: number, to: number) {
    return this.counted(await super.row(id, tensor, height, from, to));
  }
  private counted<Node extends { length: number }>(nodes: Node[]): Node[] {
    this.hashes += 32 * nodes.length;
    return nodes;
  }
}

/** Fetches against a root: each chunk is checked when it arrives, and a wrong one is asked of the next place. */
export async function fetchByRoot({ id, root }: Version, hops: readonly Hop[], path: string): Promise<Fetched> {
  const sources = hops.map(({ url }) => new Counted(url));
  const part = await PartFile.open(path, "the weights");
  const [bad, troubles] = [[] as BadChunk[], [] as string[]];
  const begun = performance.now();
  const found = (taken: boolean): Fetched => ({ taken, ...total(sources), bad, troubles, millis: performance.now() - begun }); // prettier-ignore
  try {
    await fetchTensors(id, root, sources, part, { onBadChunk: (chunk) => bad.push(chunk), onTrouble: (text) => troubles.push(text) }); // prettier-ignore
    return found(true);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return found(false);
  } finally {
    await part.drop();
  }
}

const total = (sources: readonly Counted[]) => ({
  read: sources.reduce((sum, { bytes }) => sum + bytes, 0),
  hashes: sources.reduce((sum, { hashes }) => sum + hashes, 0),
});

/** Fetches as SHARDCAST does: shard by shard, and then the digest of the whole. A wrong whole is asked of the next place. */
export async function fetchByDigest({ id, size }: Version, hops: readonly Hop[]): Promise<Fetched> {
  const sources = hops.map(({ url }) => new Counted(url));
  const troubles: string[] = [];
  const begun = performance.now();
  const found = (taken: boolean): Fetched => ({ taken, ...total(sources), bad: [], troubles, millis: performance.now() - begun }); // prettier-ignore
  for (const source of sources) {
    const hash = createHash("sha256");
    for (let at = 0; at < size; at += SHARD) hash.update(await source.read(id, at, Math.min(SHARD, size - at)));
    if (hash.digest("hex") === id) return found(true);
    troubles.push(`${source.name} sent a file of another digest`);
  }
  return found(false);
}

/** Makes a hop serve other bytes than it was given: one bit of the byte at `at` is another one. */
export async function alter(hop: Hop, id: BlobId, at: number): Promise<void> {
  const path = hop.store.pathOf(id);
  const bytes = await readFile(path);
  bytes[at] ^= 4;
  await writeFile(path, bytes);
}

/** Brings a version from the origin to a relay, which then serves it. */
export async function relay(version: Version, origin: Hop, hop: Hop): Promise<void> {
  const { id, root, size } = version;
  const upload = await hop.store.write(id, size);
  try {
    await fetchTensors(id, root, [new ServerSource(origin.url)], upload.part);
    await upload.finish();
  } finally {
    await upload.close();
  }
}
