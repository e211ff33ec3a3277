/** The files of a trace as blobs, by the digests of what they hold now. */
import { stat } from "node:fs/promises";
import { blobIdOf } from "../blobs/upload.ts";
import { type BlobId, formatBlobId } from "../blobs/id.ts";
import type { BlobInfo, BlobReader } from "../blobs/store.ts";
import { FormatError } from "../errors/index.ts";
import type { ByteSource } from "../formats/byte-source.ts";
import { openFile } from "../formats/file.ts";
import type { TraceFiles } from "./trace-files.ts";

/** A file as it was when it was hashed. */
interface Hashed {
  size: number;
  changed: number;
  id: Promise<BlobId>;
}

export class TraceBlobs implements BlobReader {
  readonly name: string;
  private readonly files: TraceFiles;
  private readonly hashed = new Map<string, Hashed>();

  /** @param name of the trace, for messages */
  constructor(name: string, files: TraceFiles) {
    this.name = name;
    this.files = files;
  }

  async sizeOf(id: BlobId): Promise<number | undefined> {
    return (await this.find(id))?.size;
  }

  async open(id: BlobId): Promise<ByteSource> {
    const found = await this.find(id);
    if (!found) throw new FormatError("MISSING", `${this.name} has no file ${formatBlobId(id)}; ask another place`, { id }); // prettier-ignore
    return openFile(found.path);
  }

  async *list(): AsyncIterable<BlobInfo & { name: string; path: string }> {
    const { files } = await this.files.list();
    for (const name of ["trace", ...files.map((file) => `data/${file}`)]) {
      const file = await this.files.find(name);
      // What is written or removed at this moment is no blob.
      const known = file && (await this.idOf(file.path).catch(() => undefined));
      if (known) yield { ...known, name, path: file.path };
    }
  }

  private async find(id: BlobId): Promise<{ size: number; path: string } | undefined> {
    for await (const one of this.list()) if (one.id === id) return one;
    return undefined;
  }

  /** Files are hashed when they are first asked for, and again when they have changed. */
  private async idOf(path: string): Promise<BlobInfo> {
    const { size, mtimeMs } = await stat(path);
    const before = this.hashed.get(path);
    if (before?.size === size && before.changed === mtimeMs) return { size, id: await before.id };
    const id = hash(path);
    this.hashed.set(path, { size, changed: mtimeMs, id });
    id.catch(() => this.hashed.delete(path));
    return { size, id: await id };
  }
}

async function hash(path: string): Promise<BlobId> {
  const file = await openFile(path);
  try {
    return await blobIdOf(file);
  } finally {
    await file.close();
  }
}
