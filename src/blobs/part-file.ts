/**
 * A file that grows until it is whole, and then gets its name. What was written is kept when that ends early.
 */
import { createHash } from "node:crypto";
import { type FileHandle, constants, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { FormatError, unwritable } from "../errors/index.ts";
import { makeFolder } from "../files/folder.ts";
import { type FileLock, takeLock } from "../files/lock.ts";
import { syncFolder } from "../files/replace.ts";
import { type BlobId, formatBlobId } from "./id.ts";

/** Bytes that are read at once. */
const PIECE = 2 ** 20;

export class PartFile {
  /** The blob as the user knows it. */
  readonly what: string;
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly lock: FileLock;
  private length: number;
  private open = true;

  private constructor(path: string, what: string, file: FileHandle, lock: FileLock, length: number) {
    this.path = path;
    this.what = what;
    this.file = file;
    this.lock = lock;
    this.length = length;
  }

  /**
   * @param what it will be, for errors
   * @throws {FileError} when it can't be written, or another process writes it
   */
  static async open(path: string, what: string): Promise<PartFile> {
    await makeFolder(dirname(path));
    const lock = takeLock(`${path}.lock`, what);
    try {
      const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o666);
      return new PartFile(path, what, file, lock, (await file.stat()).size);
    } catch (cause) {
      lock.release();
      throw unwritable(path, cause);
    }
  }

  /** The bytes that are there. */
  get size(): number {
    return this.length;
  }

  /**
   * Adds bytes at the end.
   * @throws {FileError} when the disk is full or refuses; what it has taken stays
   */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.file.write(bytes, at, bytes.length - at, this.length);
        at += bytesWritten;
        this.length += bytesWritten;
      }
    } catch (cause) {
      throw unwritable(this.what, cause);
    }
  }

  /** Replaces bytes that are there. */
  async replace(at: number, bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; )
        done += (await this.file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
    } catch (cause) {
      throw unwritable(this.what, cause);
    }
  }

  async read(from: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(Math.max(Math.min(count, this.length - from), 0));
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.file.read(bytes, at, bytes.length - at, from + at);
      if (bytesRead === 0) throw new FormatError("TRUNCATED", `${this.path} was cut while it was read; start again`);
      at += bytesRead;
    }
    return bytes;
  }

  /** Drops everything after so many bytes. */
  async cut(size: number): Promise<void> {
    await this.file.truncate(size).catch((cause: unknown) => {
      throw unwritable(this.what, cause);
    });
    this.length = size;
  }

  async digest(): Promise<BlobId> {
    const hash = createHash("sha256");
    for (let at = 0; at < this.length; at += PIECE) hash.update(await this.read(at, PIECE));
    return hash.digest("hex") as BlobId;
  }

  /** @throws {FormatError} when the bytes have another digest */
  async expect(id: BlobId): Promise<void> {
    const found = await this.digest();
    if (found !== id)
      throw new FormatError("ALTERED", `the ${this.length} bytes that were sent as ${formatBlobId(id)} have the digest ${formatBlobId(found)}; send the blob again`, { expected: id, found }); // prettier-ignore
  }

  /** Gives the file its name, when the disk has all of it. @throws {FileError} when that fails */
  async keepAs(path: string): Promise<void> {
    try {
      await this.file.sync();
      await makeFolder(dirname(path));
      await rename(this.path, path);
    } catch (cause) {
      throw unwritable(path, cause);
    }
    await syncFolder(dirname(path));
    await this.close();
  }

  /** Removes the file. */
  async drop(): Promise<void> {
    await this.close();
    await rm(this.path, { force: true });
  }

  /** Ends the writing. The file stays. */
  async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.file.close();
    this.lock.release();
  }
}
