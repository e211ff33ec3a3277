/** Blobs over HTTP: ranges, uploads in pieces, refusals, and what a client does about a broken connection. */
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FolderStore } from "../../src/blobs/folder-store.ts";
import type { BlobId } from "../../src/blobs/id.ts";
import { BLOB_PATH } from "../../src/blobs/source.ts";
import { blobIdOf, putIntoStore, putOnServer } from "../../src/blobs/upload.ts";
import { type BlobServer, serveBlobs } from "../../src/services/blob-server.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { bytesOf, sourceOf } from "./bytes.ts";

const path = temporaryFolder();
const store = new FolderStore(path("store"), { quota: 20_000_000 });
const data = bytesOf(1, 100_000);
let id: BlobId;
let server: BlobServer;
let at: (id: BlobId) => string;
const servers: BlobServer[] = [];
afterAll(() => Promise.all(servers.map((one) => one.close())));

beforeAll(async () => {
  id = await blobIdOf(sourceOf(data));
  await putIntoStore(store, id, sourceOf(data));
  server = await serveBlobs({ host: "127.0.0.1", port: 0, store });
  servers.push(server);
  at = (one) => `${server.url}${BLOB_PATH}/${one}`;
});

const put = (one: BlobId, body: Uint8Array<ArrayBuffer>, range?: string): Promise<Response> =>
  fetch(at(one), { method: "PUT", body, headers: range === undefined ? {} : { "content-range": range } });

describe("reading", () => {
  test("gives all, one range, the length, or nothing that is known already", async () => {
    const whole = await fetch(at(id));
    expect([whole.status, whole.headers.get("etag"), whole.headers.get("accept-ranges")]).toEqual([200, `"sha256:${id}"`, "bytes"]); // prettier-ignore
    expect(Buffer.compare(Buffer.from(await whole.arrayBuffer()), data)).toBe(0);
    for (const [range, from, to] of [
      ["bytes=10-19", 10, 20],
      ["bytes=99990-", 99_990, 100_000],
      ["bytes=-5", 99_995, 100_000],
    ] as const) {
      // prettier-ignore
      const some = await fetch(at(id), { headers: { range } });
      expect([some.status, some.headers.get("content-range")]).toEqual([206, `bytes ${from}-${to - 1}/100000`]);
      expect(Buffer.compare(Buffer.from(await some.arrayBuffer()), data.subarray(from, to))).toBe(0);
    }
    expect((await fetch(at(id), { headers: { range: "bytes=100000-" } })).status).toBe(416);
    const head = await fetch(at(id), { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, "100000"]);
    expect((await fetch(at(id), { headers: { "if-none-match": `"sha256:${id}"` } })).status).toBe(304);
    const list = (await (await fetch(`${server.url}${BLOB_PATH}`)).json()) as object;
    expect(list).toEqual({ schemaVersion: 1, blobs: [{ id, size: 100_000 }] });
  });

  test("finds nothing else", async () => {
    const missing = await blobIdOf(sourceOf(bytesOf(9, 9)));
    const paths = [at(missing), `${at(id)}/roots`, `${at(id)}/tree/0/0/0-1`, `${at(id)}x`, `${server.url}${BLOB_PATH}/..%2f..%2fetc%2fpasswd`]; // prettier-ignore
    for (const url of paths) expect((await fetch(url)).status, url).toBe(404);
    expect((await fetch(at(id), { method: "DELETE" })).status).toBe(404);
  });
});

describe("writing", () => {
  test("takes a blob whole, or in pieces in their order, and says what is next", async () => {
    const bytes = bytesOf(2, 50_000);
    const other = await blobIdOf(sourceOf(bytes));
    const first = await put(other, bytes.slice(0, 20_000), "bytes 0-19999/50000");
    expect([first.status, first.headers.get("upload-offset")]).toEqual([202, "20000"]);
    const head = await fetch(at(other), { method: "HEAD" });
    expect([head.status, head.headers.get("upload-offset")]).toEqual([404, "20000"]);
    const again = await put(other, bytes.slice(0, 20_000), "bytes 0-19999/50000");
    expect([again.status, again.headers.get("upload-offset")]).toEqual([409, "20000"]);
    expect((await put(other, bytes.slice(20_000), "bytes 20000-49999/50000")).status).toBe(201);
    expect((await put(other, bytes)).status).toBe(204);
    expect(await store.sizeOf(other)).toBe(50_000);
    const third = bytesOf(3, 10);
    expect((await put(await blobIdOf(sourceOf(third)), third)).status).toBe(201);
    expect((await put(await blobIdOf(sourceOf(new Uint8Array(0))), new Uint8Array(0))).status).toBe(201);
  });

  test("refuses bytes of another digest, ranges that make no sense, and what has no room", async () => {
    const other = await blobIdOf(sourceOf(bytesOf(4, 1_000)));
    expect((await put(other, bytesOf(5, 1_000))).status).toBe(422);
    expect([await store.sizeOf(other), await store.partOf(other)]).toEqual([undefined, undefined]);
    for (const range of ["bytes 5-2/10", "bytes 0-10/10", "lines 0-9/10", "bytes 0-9/*", "bytes 0-9"]) expect((await put(other, bytesOf(4, 10), range)).status, range).toBe(411); // prettier-ignore
    expect((await put(other, bytesOf(4, 20), "bytes 0-9/1000")).status).toBe(400);
    await store.write(other, 1_000).then(({ part }) => part.drop());
    expect((await put(other, bytesOf(4, 10), "bytes 0-9/30000000")).status).toBe(507);
    await expect(putOnServer(server.url, other, { ...sourceOf(data), size: 30_000_000 })).rejects.toMatchObject({ code: "VERDE_FILE_FULL" }); // prettier-ignore
  });

  test("takes none where it may not, or without the token", async () => {
    const shy = await serveBlobs({ host: "127.0.0.1", port: 0, store, writable: false });
    const closed = await serveBlobs({ host: "127.0.0.1", port: 0, store, token: "open-sesame" });
    servers.push(shy, closed);
    const body = bytesOf(6, 10);
    const other = await blobIdOf(sourceOf(body));
    expect((await fetch(`${shy.url}${BLOB_PATH}/${other}`, { method: "PUT", body })).status).toBe(404);
    expect((await fetch(`${closed.url}${BLOB_PATH}/${other}`, { method: "PUT", body })).status).toBe(401);
    expect((await fetch(`${closed.url}health`)).status).toBe(200);
    await putOnServer(closed.url, other, sourceOf(body), () => "open-sesame");
    expect(await store.sizeOf(other)).toBe(10);
  });

  test("keeps what has arrived when the connection breaks, and the client continues from there", async () => {
    const bytes = bytesOf(7, 5_000_000);
    const other = await blobIdOf(sourceOf(bytes));
    const { port, hostname } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(`PUT /${BLOB_PATH}/${other} HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 3_000_000), () => socket.destroy());
    await once(socket, "close");
    let kept: number | undefined;
    // The server notices the end after it has read what was sent.
    for (let looks = 0; looks < 200 && !(kept = await store.partOf(other)); looks++) await new Promise((resolve) => setTimeout(resolve, 25)); // prettier-ignore
    expect(kept).toBeGreaterThan(0);
    const seen: number[] = [];
    let first = true;
    for (let tries = 0; tries < 100; tries++)
      try {
        await putOnServer(server.url, other, sourceOf(bytes), undefined, (done) => seen.push(done));
        break;
      } catch (error) {
        // The first upload may not have let go of it yet.
        if (!first) throw error;
        first = tries < 50;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    expect(await store.sizeOf(other)).toBe(bytes.length);
    expect(seen[0]).toBeGreaterThanOrEqual(kept!);
  });
});
