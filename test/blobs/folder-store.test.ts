/** Blobs in a folder: whole or absent, continued after a break, within a quota, and nothing lost by a full disk. */
import { readdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FolderStore } from "../../src/blobs/folder-store.ts";
import { formatBlobId, parseBlobId } from "../../src/blobs/id.ts";
import { blobIdOf, putIntoStore } from "../../src/blobs/upload.ts";
import { temporaryFolder } from "../fixtures/folder.ts";
import { bytesOf, sourceOf } from "./bytes.ts";

const path = temporaryFolder();
const data = bytesOf(1, 300_000);
const id = await blobIdOf(sourceOf(data));

async function all(store: FolderStore): Promise<[string, number][]> {
  const found: [string, number][] = [];
  for await (const { id: one, size } of store.list()) found.push([one, size]);
  return found;
}

describe("a folder of blobs", () => {
  test("gives back what was put, lists it, and forgets it", async () => {
    const store = new FolderStore(path("a"));
    expect(await all(store)).toEqual([]);
    await putIntoStore(store, id, sourceOf(data));
    expect(await all(store)).toEqual([[id, data.length]]);
    const file = await store.open(id);
    expect(Buffer.compare(await file.read(0, file.size), data)).toBe(0);
    expect(Buffer.compare(await file.read(1000, 50), data.subarray(1000, 1050))).toBe(0);
    await file.close();
    expect([await store.delete(id), await store.delete(id)]).toEqual([true, false]);
    await expect(store.open(id)).rejects.toThrow(`has no ${formatBlobId(id)}`);
  });

  test("continues an upload, also in another process, and drops bytes of another digest", async () => {
    const first = await new FolderStore(path("b")).write(id, data.length);
    await first.part.append(data.subarray(0, 100_000));
    await first.close();
    const store = new FolderStore(path("b"));
    expect([await store.sizeOf(id), await store.partOf(id)]).toEqual([undefined, 100_000]);
    await putIntoStore(store, id, sourceOf(data));
    expect([await store.sizeOf(id), await store.partOf(id)]).toEqual([data.length, undefined]);
    const other = bytesOf(2, data.length);
    const wrong = await blobIdOf(sourceOf(other));
    await expect(putIntoStore(store, wrong, sourceOf(data))).rejects.toMatchObject({ code: "VERDE_FORMAT_ALTERED" });
    expect([await store.sizeOf(wrong), await store.partOf(wrong)]).toEqual([undefined, undefined]);
  });

  test("lets one upload at a time write a blob", async () => {
    const store = new FolderStore(path("c"));
    const first = await store.write(id, data.length);
    await expect(store.write(id, data.length)).rejects.toMatchObject({ code: "VERDE_FILE_LOCKED" });
    await first.close();
    await (await store.write(id, data.length)).close();
  });

  test("keeps to its quota, with what uploads still expect", async () => {
    const store = new FolderStore(path("d"), { quota: 700_000 });
    await putIntoStore(store, id, sourceOf(data));
    const others = [bytesOf(3, 300_000), bytesOf(4, 300_000)];
    const [second, third] = await Promise.all(others.map((bytes) => blobIdOf(sourceOf(bytes))));
    const upload = await store.write(second, 300_000);
    await upload.part.append(others[0].subarray(0, 10));
    await expect(putIntoStore(store, third, sourceOf(others[1]))).rejects.toThrow(/a quota of 700000 bytes, and 300010 are used: 599990 more/); // prettier-ignore
    await upload.part.append(others[0].subarray(10));
    await upload.finish();
    await expect(store.write(third, 300_000)).rejects.toMatchObject({ code: "VERDE_FILE_FULL" });
    await store.delete(id);
    await putIntoStore(store, third, sourceOf(others[1]));
    expect((await all(store)).map(([one]) => one).sort()).toEqual([second, third].sort());
  });

  test("refuses what the disk has no room for, before it writes", async () => {
    const store = new FolderStore(path("e"), { freeBytes: async () => data.length - 1 });
    await expect(putIntoStore(store, id, sourceOf(data))).rejects.toThrow(/has 299999 free bytes, and 300000 are needed; make room/); // prettier-ignore
    expect(await all(store)).toEqual([]);
    expect(readdirSync(path("e/part"))).toEqual([]);
  });

  test("takes nothing else in its folder for a blob", async () => {
    const store = new FolderStore(path("a"));
    await putIntoStore(store, id, sourceOf(data));
    writeFileSync(path(`a/sha256/${id.slice(0, 2)}/notes.txt`), "x");
    expect(await all(store)).toEqual([[id, data.length]]);
  });

  test("names are 64 digits, with or without what stands before them", () => {
    expect([parseBlobId(id.toUpperCase()), parseBlobId(`sha256:${id}`)]).toEqual([id, id]);
    for (const text of ["", "sha256:12", `${id}0`, `md5:${id}`, "../../etc/passwd"]) expect(() => parseBlobId(text)).toThrow("is no name of a blob"); // prettier-ignore
  });
});
