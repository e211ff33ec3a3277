/** Blobs in a bucket, against a server that speaks S3's protocol and checks its signatures. */
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { FolderStore } from "../../src/blobs/folder-store.ts";
import { S3Store } from "../../src/blobs/s3-store.ts";
import { StoreSource } from "../../src/blobs/source.ts";
import { fetchBlob } from "../../src/blobs/fetch.ts";
import { PartFile } from "../../src/blobs/part-file.ts";
import { blobIdOf, putIntoStore } from "../../src/blobs/upload.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { bytesOf, sourceOf } from "./bytes.ts";

/** The key pair that the server knows. */
const KEY = "S3RVER";
const path = temporaryFolder();
const S3rver = createRequire(import.meta.url)("@20minutes/s3rver") as new (options: object) => {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
};
const servers: InstanceType<typeof S3rver>[] = [];
let endpoint = "";
let store: S3Store;
/** The same bucket. This server computes another signature for /bucket/ than Amazon's, so it lists without one. */
let lister: S3Store;
const spool = new FolderStore(path("spool"));
const PART = 5 * 2 ** 20;

beforeAll(async () => {
  mkdirSync(path("bucket"));
  const serve = async (allowMismatchedSignatures: boolean): Promise<string> => {
    const server = new S3rver({ port: 0, address: "127.0.0.1", silent: true, directory: path("bucket"), configureBuckets: [{ name: "blobs" }], allowMismatchedSignatures }); // prettier-ignore
    servers.push(server);
    return `http://127.0.0.1:${(await server.run()).port}`;
  };
  endpoint = await serve(false);
  for (const [name, value] of Object.entries({ AWS_ACCESS_KEY_ID: KEY, AWS_SECRET_ACCESS_KEY: KEY, AWS_REGION: "us-east-1" })) vi.stubEnv(name, value); // prettier-ignore
  store = await S3Store.open({ bucket: "blobs", prefix: "verde", spool, endpoint, partBytes: PART });
  lister = await S3Store.open({ bucket: "blobs", prefix: "verde", spool, endpoint: await serve(true) });
});
afterAll(async () => {
  store.close();
  lister.close();
  vi.unstubAllEnvs();
  await Promise.all(servers.map((server) => server.close()));
});

async function listed(): Promise<[string, number][]> {
  const found: [string, number][] = [];
  for await (const { id, size } of lister.list()) found.push([id, size]);
  return found;
}

test("a blob is put, listed, read in parts, fetched and deleted", async () => {
  const data = bytesOf(1, 100_000);
  const id = await blobIdOf(sourceOf(data));
  expect([await store.sizeOf(id), await listed()]).toEqual([undefined, []]);
  await putIntoStore(store, id, sourceOf(data));
  expect([await store.sizeOf(id), await store.partOf(id)]).toEqual([data.length, undefined]);
  expect(await listed()).toEqual([[id, data.length]]);
  const file = await store.open(id);
  expect(Buffer.compare(await file.read(99_000, 5_000), data.subarray(99_000))).toBe(0);
  const part = await PartFile.open(path("fetched.part"), "it");
  await fetchBlob(id, [new StoreSource(store)], part);
  expect(await part.digest()).toBe(id);
  await part.close();
  expect([await store.delete(id), await store.delete(id)]).toEqual([true, false]);
  await expect(store.open(id)).rejects.toMatchObject({ code: "VERDE_FORMAT_MISSING" });
});

test("a long blob is sent in parts, of which those are not sent again that are there", async () => {
  const data = bytesOf(2, 2 * PART + 1_000);
  const id = await blobIdOf(sourceOf(data));
  const client = (store as unknown as { client: { send: (command: object) => Promise<unknown> } }).client;
  const send = client.send.bind(client);
  const sent: string[] = [];
  let parts = 0;
  const spy = vi.spyOn(client, "send").mockImplementation(async (command) => {
    const { name } = command.constructor;
    // The connection breaks before the second part.
    if (name === "UploadPartCommand" && ++parts === 2) throw new Error("socket hang up");
    sent.push(name);
    return send(command);
  });
  await expect(putIntoStore(store, id, sourceOf(data))).rejects.toThrow("socket hang up; the bytes are kept here");
  expect([await store.sizeOf(id), await store.partOf(id)]).toEqual([undefined, data.length]);
  sent.length = 0;
  await putIntoStore(store, id, sourceOf(data));
  spy.mockRestore();
  expect(sent.filter((name) => name === "UploadPartCommand")).toHaveLength(2);
  expect(sent).not.toContain("CreateMultipartUploadCommand");
  expect([await store.sizeOf(id), await store.partOf(id)]).toEqual([data.length, undefined]);
  const file = await store.open(id);
  expect(await blobIdOf(file)).toBe(id);
});

test("wrong bytes never reach the bucket, and a wrong key is told", async () => {
  const data = bytesOf(3, 1_000);
  const id = await blobIdOf(sourceOf(bytesOf(4, 1_000)));
  await expect(putIntoStore(store, id, sourceOf(data))).rejects.toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
  expect(await store.sizeOf(id)).toBeUndefined();
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "another");
  const stranger = await S3Store.open({ bucket: "blobs", spool, endpoint });
  await expect(putIntoStore(stranger, id, sourceOf(bytesOf(4, 1_000)))).rejects.toThrow(/can't be read: .*(403|Forbidden|Unknown)/i); // prettier-ignore
  stranger.close();
});
