/**
 * Blobs in a folder: `sha256/ab/ab12…` are whole, `part/ab12…` are being written, or wait to be continued.
 */
import { readdir, rm, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { FileError, FormatError, isMissing, unreadable, unwritable } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { openFile } from "../formats/file.ts";
import { type BlobId, formatBlobId, isBlobId } from "./id.ts";
import { PartFile } from "./part-file.ts";
import type { BlobInfo, BlobStore, Upload } from "./store.ts";

export interface FolderOptions {
  /** The most bytes of all blobs, also of those that are not whole yet. Default: as many as the disk has. */
  quota?: number;
  /** The free bytes of a folder's disk, for tests. */
  freeBytes?(folder: string): Promise<number>;
}

export class FolderStore implements BlobStore {
  readonly name: string;
  private readonly quota: number;
  private readonly freeBytes: (folder: string) => Promise<number>;
  /** Uploads of this process that are under way. */
  private readonly writing = new Set<{ part: PartFile; size: number }>();

  constructor(folder: string, { quota = Infinity, freeBytes = freeHere }: FolderOptions = {}) {
    this.name = folder;
    this.quota = quota;
    this.freeBytes = freeBytes;
  }

  async sizeOf(id: BlobId): Promise<number | undefined> {
    return sizeAt(this.pathOf(id));
  }

  async open(id: BlobId): Promise<ByteSource> {
    return openFile(this.pathOf(id)).catch((error: unknown) => {
      if (error instanceof FormatError && error.code === "VERDE_FORMAT_MISSING")
        throw new FormatError("MISSING", `${this.name} has no ${formatBlobId(id)}; put it there with \`verde blob put\``, { id }); // prettier-ignore
      throw error;
    });
  }

  async *list(): AsyncIterable<BlobInfo> {
    for (const start of await namesIn(join(this.name, "sha256")))
      for (const id of await namesIn(join(this.name, "sha256", start))) {
        if (!isBlobId(id)) continue;
        const size = await this.sizeOf(id);
        if (size !== undefined) yield { id, size };
      }
  }

  async partOf(id: BlobId): Promise<number | undefined> {
    return sizeAt(this.partPath(id));
  }

  async write(id: BlobId, size: number): Promise<Upload> {
    const part = await PartFile.open(this.partPath(id), formatBlobId(id));
    try {
      // Another blob's bytes, or those of a longer one that can't be this one.
      if (part.size > size) await part.cut(0);
      await this.expectRoom(size - part.size);
    } catch (error) {
      await (part.size === 0 ? part.drop() : part.close());
      throw error;
    }
    const upload = { part, size };
    this.writing.add(upload);
    const close = async (): Promise<void> => {
      this.writing.delete(upload);
      await (part.size === 0 ? part.drop() : part.close());
    };
    const finish = async (): Promise<void> => {
      try {
        await part.expect(id);
      } catch (error) {
        await part.drop();
        throw error;
      } finally {
        this.writing.delete(upload);
      }
      await part.keepAs(this.pathOf(id));
    };
    return { part, close, finish };
  }

  async delete(id: BlobId): Promise<boolean> {
    if ((await this.sizeOf(id)) === undefined) return false;
    await rm(this.pathOf(id), { force: true }).catch((cause: unknown) => {
      throw unwritable(this.pathOf(id), cause);
    });
    return true;
  }

  /** The file of a blob that the store has. */
  pathOf(id: BlobId): string {
    return join(this.name, "sha256", id.slice(0, 2), id);
  }

  /** A file for what somebody else has to remember about an upload. It is no blob. */
  notesOf(id: BlobId): string {
    return `${this.partPath(id)}.notes`;
  }

  private partPath(id: BlobId): string {
    return join(this.name, "part", id);
  }

  /** @param more bytes that an upload still needs; what it has is there already */
  private async expectRoom(more: number): Promise<void> {
    let expected = more;
    for (const { part, size } of this.writing) expected += size - part.size;
    if (Number.isFinite(this.quota)) {
      const used = await this.used();
      if (used + expected > this.quota)
        throw new FileError("FULL", `${this.name} has a quota of ${this.quota} bytes, and ${used} are used: ${expected} more are too many; delete blobs, or raise the quota`, { quota: this.quota, used, wanted: expected }); // prettier-ignore
    }
    await makeFolder(this.name);
    const free = await this.freeBytes(this.name);
    if (expected > free)
      throw new FileError("FULL", `the disk of ${this.name} has ${free} free bytes, and ${expected} are needed; make room, or name a folder on another disk`, { free, wanted: expected }); // prettier-ignore
  }

  private async used(): Promise<number> {
    let sum = 0;
    for await (const { size } of this.list()) sum += size;
    for (const name of await namesIn(join(this.name, "part")))
      if (isBlobId(name)) sum += (await this.partOf(name)) ?? 0;
    return sum;
  }
}

const freeHere = (folder: string): Promise<number> =>
  statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    // Some systems do not say it of all their disks.
    () => Infinity,
  );

async function sizeAt(path: string): Promise<number | undefined> {
  try {
    const info = await stat(path);
    return info.isFile() ? info.size : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw unreadable(path, path, cause);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw unreadable(folder, folder, cause, "name a folder that you may read");
  }
}
