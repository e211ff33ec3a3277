/**
 * Fetching from places of which some lie: plain blobs by their digest, files of tensors chunk by chunk against the
 * root that a trace commits to.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fetchBlob } from "../../src/blobs/fetch.ts";
import { type BadChunk, fetchTensors } from "../../src/blobs/fetch-tensors.ts";
import { FolderStore } from "../../src/blobs/folder-store.ts";
import type { BlobId } from "../../src/blobs/id.ts";
import { PartFile } from "../../src/blobs/part-file.ts";
import { type BlobSource, ServerSource, StoreSource } from "../../src/blobs/source.ts";
import { blobIdOf, putIntoStore } from "../../src/blobs/upload.ts";
import type { Bytes } from "../../src/encoding/bytes.ts";
import { type StateRoot, stateRoot, tensorRoot } from "../../src/encoding/tensor.ts";
import { FormatError } from "../../src/errors/index.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors-file.ts";
import { openFile } from "../../src/formats/file.ts";
import { type BlobServer, serveBlobs } from "../../src/services/blob-server.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { bytesOf, sourceOf } from "./bytes.ts";

const path = temporaryFolder();
const store = new FolderStore(path("store"));
/** What an honest place has. One file of it is open at a time. */
const honestly = new StoreSource(store);
const data = bytesOf(1, 5_000_000);
let [plain, tensors] = ["", ""] as BlobId[];
let root: StateRoot;
let size = 0;
let server: BlobServer;
afterAll(async () => {
  await honestly.close();
  await server.close();
});

beforeAll(async () => {
  plain = await blobIdOf(sourceOf(data));
  await putIntoStore(store, plain, sourceOf(data));
  const types = [
    { name: "a", dtype: "f32", shape: [300, 1001] },
    { name: "none", dtype: "f32", shape: [0, 5] },
    { name: "b", dtype: "i32", shape: [7] },
    { name: "c", dtype: "f32", shape: [600_000] },
    { name: "scalar", dtype: "f32", shape: [] },
  ] as const;
  let state = 5;
  const made = types.map(({ name, dtype, shape }) => {
    const length = shape.reduce((product: number, extent) => product * extent, 1);
    const data = dtype === "f32" ? new Float32Array(length) : new Int32Array(length);
    for (let i = 0; i < length; i++) data[i] = (state = (Math.imul(state, 1664525) + 1013904223) | 0) % 1000;
    return { name, dtype, shape: [...shape], data };
  });
  await writeSafetensors(path("state.safetensors"), made);
  root = stateRoot((await readSafetensors(path("state.safetensors"), { raw: true })).map(tensorRoot));
  const file = await openFile(path("state.safetensors"));
  size = file.size;
  tensors = await blobIdOf(file);
  await putIntoStore(store, tensors, file);
  await file.close();
  server = await serveBlobs({ host: "127.0.0.1", port: 0, store });
});

let parts = 0;
const newPart = (): Promise<PartFile> => PartFile.open(path(`part-${parts++}`), "the blob");

interface Told {
  troubles: string[];
  bad: BadChunk[];
}

/** A place that is honest but for what is given, and counts the bytes that it sends. */
function place(
  name: string,
  changed: Partial<BlobSource> = {},
): BlobSource & { sent: number; reads: [number, number][] } {
  // prettier-ignore
  const made = {
    name,
    sent: 0,
    reads: [] as [number, number][],
    sizeOf: (id: BlobId) => honestly.sizeOf(id),
    read: (id: BlobId, from: number, count: number) => honestly.read(id, from, count),
    roots: (id: BlobId) => honestly.roots(id),
    row: (id: BlobId, ...rest: [number, number, number, number]) => honestly.row(id, ...rest),
    close: async () => undefined,
    ...changed,
  };
  const { read } = made;
  made.read = async (id, from, count) => {
    const bytes = await read(id, from, count);
    made.sent += bytes.length;
    made.reads.push([from, count]);
    return bytes;
  };
  return made;
}

/** A place that flips a bit of each byte given, counted in the blob. */
const liar = (name: string, ...at: number[]) =>
  place(name, {
    read: async (id, from, count) => {
      const bytes = new Uint8Array(await honestly.read(id, from, count));
      for (const byte of at) if (byte >= from && byte < from + count) bytes[byte - from] ^= 4;
      return bytes;
    },
  });

const dead = (name: string): BlobSource =>
  place(name, {
    sizeOf: async () => undefined,
    roots: () => Promise.reject(absent()),
    row: () => Promise.reject(absent()),
  });
const absent = (): Error => new FormatError("MISSING", "it is not there");

async function plainFrom(sources: BlobSource[], part?: PartFile): Promise<Told & { bytes: Bytes }> {
  const own = part ?? (await newPart());
  const troubles: string[] = [];
  try {
    await fetchBlob(plain, sources, own, { onTrouble: (sentence) => troubles.push(sentence) });
    return { troubles, bad: [], bytes: await own.read(0, own.size) };
  } finally {
    await own.close();
  }
}

async function tensorsFrom(sources: BlobSource[], part?: PartFile): Promise<Told> {
  const own = part ?? (await newPart());
  const told: Told = { troubles: [], bad: [] };
  try {
    const events = { onTrouble: (sentence: string) => told.troubles.push(sentence), onBadChunk: (bad: BadChunk) => told.bad.push(bad) }; // prettier-ignore
    await fetchTensors(tensors, root, sources, own, events);
    expect(await own.digest()).toBe(tensors);
    return told;
  } finally {
    await own.close();
  }
}

describe("a plain blob", () => {
  test("is fetched from a server, and from the next place where one does not have it or is away", async () => {
    const { troubles, bytes } = await plainFrom([dead("d"), new ServerSource(server.url)]);
    expect(Buffer.compare(bytes, data)).toBe(0);
    expect(troubles).toEqual([]);
    let asked = 0;
    const breaking = place("breaking", { read: async (id, from, count) => (asked++ > 0 ? Promise.reject(absent()) : honestly.read(id, from, count)) }); // prettier-ignore
    const second = place("second");
    expect((await plainFrom([breaking, second])).troubles).toEqual(["it is not there"]);
    expect(second.sent).toBe(data.length - breaking.sent);
  });

  test("continues what is there", async () => {
    const part = await newPart();
    await part.append(data.subarray(0, 4_500_000));
    const source = place("s");
    expect(Buffer.compare((await plainFrom([source], part)).bytes, data)).toBe(0);
    expect(source.sent).toBe(500_000);
  });

  test("is not believed: a place that lies is named, and another one is asked for the whole", async () => {
    const { troubles, bytes } = await plainFrom([liar("mallory", 17), place("honest")]);
    expect(Buffer.compare(bytes, data)).toBe(0);
    expect(troubles).toEqual([`mallory sent bytes that are not sha256:${plain}`]);
    await expect(plainFrom([liar("mallory", 17), liar("trudy", 5)])).rejects.toThrow(/mallory sent .*; trudy sent /);
    const part = await newPart();
    await part.append(new Uint8Array(9));
    expect((await plainFrom([place("honest")], part)).troubles[0]).toContain("an earlier fetch have another digest");
    await expect(plainFrom([dead("a"), dead("b")])).rejects.toMatchObject({ code: "VERDE_FORMAT_MISSING" });
  });
});

describe("a file of tensors", () => {
  test("is fetched from a server, whose nodes lead to the root", async () => {
    expect(await tensorsFrom([new ServerSource(server.url)])).toEqual({ troubles: [], bad: [] });
  });

  test("has each wrong chunk found, and only that fetched again, from another place", async () => {
    // Two chunks of one block, and one of another.
    const mallory = liar("mallory", 200_000, 200_256, 3_000_001);
    const honest = place("honest");
    const { bad } = await tensorsFrom([mallory, honest]);
    expect(bad).toHaveLength(1);
    expect(bad[0]).toMatchObject({ source: "mallory", tensor: "a" });
    expect(bad[0].offset).toBeLessThanOrEqual(200_000);
    expect(bad[0].offset + 256).toBeGreaterThan(200_000);
    // After its first lie another place comes first. Of the stretch that was wrong it sends the two chunks alone.
    expect(honest.reads[0][1]).toBe(512);
    const alone = place("honest", { read: async (id, from, count) => (count > 1_000 ? Promise.reject(absent()) : honestly.read(id, from, count)) }); // prettier-ignore
    const told = await tensorsFrom([liar("mallory", 200_000, 200_256, 3_000_001), alone]);
    expect(told.bad.map(({ tensor }) => tensor)).toEqual(["a", "c"]);
    // And the two tensors that are smaller than a chunk.
    expect(alone.sent).toBe(512 + 256 + 28 + 4);
  });

  test("continues, and checks again what is there", async () => {
    const part = await newPart();
    const begun = new Uint8Array(await honestly.read(tensors, 0, 3_000_000));
    begun[1_000_000] ^= 1;
    await part.append(begun);
    const honest = place("honest");
    expect((await tensorsFrom([honest], part)).bad).toEqual([]);
    expect(honest.sent).toBeLessThan(size - 3_000_000 + 600_000);
  });

  test("is not believed in its header, roots or nodes", async () => {
    const row = (name: string) => place(name, { row: async (_, __, ___, from, to) => Array.from({ length: to - from }, () => new Uint8Array(32)) }); // prettier-ignore
    const cases: [BlobSource, RegExp][] = [
      [liar("header", 9), /./],
      [place("roots", { roots: async () => [new Uint8Array(32)] }), /roots sent roots of tensors/],
      [row("nodes"), /nodes sent nodes/],
    ];
    for (const [source, trouble] of cases) {
      expect((await tensorsFrom([source, place("honest")])).troubles.join(), source.name).toMatch(trouble);
      await expect(tensorsFrom([source]), source.name).rejects.toThrow(/can't be fetched|every chunk is right/);
    }
    // Another name in the header has no influence on any root: the digest of the whole tells.
    const head = Buffer.from(await honestly.read(tensors, 0, 400)).toString("latin1");
    const renamed = liar("renamed", head.indexOf('"scalar"') + 1);
    expect((await tensorsFrom([renamed, place("honest")])).troubles.join()).toContain(
      "renamed sent a header that is not",
    );
    const part = await newPart();
    await expect(fetchTensors(tensors, new Uint8Array(32) as StateRoot, [place("honest")], part)).rejects.toThrow("do not lead to the root"); // prettier-ignore
    await part.close();
  });

  test("comes from a place without trees, if another one has them", async () => {
    const bare = place("bucket", { roots: () => Promise.reject(absent()), row: () => Promise.reject(absent()) });
    const trees = place("trees", { read: () => Promise.reject(absent()), sizeOf: async () => undefined });
    await tensorsFrom([bare, trees]);
    expect(bare.sent).toBeGreaterThanOrEqual(size);
  });
});
